// SPDX-License-Identifier: Apache-2.0
#include "error_map.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace threadkeep::sqlite {

namespace {

constexpr std::string_view retry_lock =
    "another connection holds the lock; try again, or raise ?busy=";
constexpr std::string_view free_space = "free space on the disk or raise the quota, then try again";
constexpr std::string_view writable =
    "make the file and its directory writable for this user, or open another file";
constexpr std::string_view reachable =
    "check that the directory exists and that the path names a file";
constexpr std::string_view damaged =
    "run PRAGMA integrity_check on the file and restore it from a backup";
constexpr std::string_view disk = "check the disk and the system's log, then try again";
constexpr std::string_view memory = "free memory, then try again";
constexpr std::string_view interrupted = "give the call more time and try again";
constexpr std::string_view local_disk =
    "keep the file on a local disk: a WAL file needs shared memory and locks";
constexpr std::string_view smaller = "keep large values elsewhere and store a reference";
constexpr std::string_view report = "please report this as a defect of threadkeep";

#define THREADKEEP_ROW(code, meaning, advice) \
  ResultCode {                                \
    code, #code, Code::meaning, advice        \
  }

constexpr ResultCode rows[] = {
    THREADKEEP_ROW(SQLITE_ERROR, internal, report),
    THREADKEEP_ROW(SQLITE_ERROR_MISSING_COLLSEQ, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_ERROR_RETRY, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_ERROR_SNAPSHOT, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_INTERNAL, internal, report),
    THREADKEEP_ROW(SQLITE_PERM, denied, writable),
    THREADKEEP_ROW(SQLITE_ABORT, internal, report),
    THREADKEEP_ROW(SQLITE_ABORT_ROLLBACK, internal, report),
    THREADKEEP_ROW(SQLITE_BUSY, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_BUSY_RECOVERY, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_BUSY_SNAPSHOT, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_BUSY_TIMEOUT, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_LOCKED, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_LOCKED_SHAREDCACHE, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_LOCKED_VTAB, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_NOMEM, unavailable, memory),
    THREADKEEP_ROW(SQLITE_READONLY, denied, writable),
    THREADKEEP_ROW(SQLITE_READONLY_RECOVERY, denied, writable),
    THREADKEEP_ROW(SQLITE_READONLY_CANTLOCK, denied, writable),
    THREADKEEP_ROW(SQLITE_READONLY_ROLLBACK, denied, writable),
    THREADKEEP_ROW(SQLITE_READONLY_DBMOVED, denied,
                   "the file was moved or deleted while it was open; open the store again"),
    THREADKEEP_ROW(SQLITE_READONLY_CANTINIT, denied, writable),
    THREADKEEP_ROW(SQLITE_READONLY_DIRECTORY, denied, writable),
    THREADKEEP_ROW(SQLITE_INTERRUPT, cancelled, interrupted),
    THREADKEEP_ROW(SQLITE_IOERR, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_READ, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_SHORT_READ, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_IOERR_WRITE, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_FSYNC, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_DIR_FSYNC, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_TRUNCATE, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_FSTAT, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_UNLOCK, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_RDLOCK, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_DELETE, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_BLOCKED, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_NOMEM, unavailable, memory),
    THREADKEEP_ROW(SQLITE_IOERR_ACCESS, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_CHECKRESERVEDLOCK, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_LOCK, internal, local_disk),
    THREADKEEP_ROW(SQLITE_IOERR_CLOSE, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_DIR_CLOSE, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_SHMOPEN, internal, local_disk),
    THREADKEEP_ROW(SQLITE_IOERR_SHMSIZE, internal, local_disk),
    THREADKEEP_ROW(SQLITE_IOERR_SHMLOCK, internal, local_disk),
    THREADKEEP_ROW(SQLITE_IOERR_SHMMAP, internal, local_disk),
    THREADKEEP_ROW(SQLITE_IOERR_SEEK, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_DELETE_NOENT, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_MMAP, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_GETTEMPPATH, internal,
                   "set TMPDIR to a directory that is writable"),
    THREADKEEP_ROW(SQLITE_IOERR_CONVPATH, internal, reachable),
    THREADKEEP_ROW(SQLITE_IOERR_VNODE, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_AUTH, denied, writable),
    THREADKEEP_ROW(SQLITE_IOERR_BEGIN_ATOMIC, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_COMMIT_ATOMIC, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_ROLLBACK_ATOMIC, internal, disk),
    THREADKEEP_ROW(SQLITE_IOERR_DATA, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_IOERR_CORRUPTFS, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_CORRUPT, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_CORRUPT_VTAB, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_CORRUPT_SEQUENCE, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_CORRUPT_INDEX, corrupt, "run REINDEX on the file"),
    THREADKEEP_ROW(SQLITE_NOTFOUND, internal, report),
    THREADKEEP_ROW(SQLITE_FULL, no_space, free_space),
    THREADKEEP_ROW(SQLITE_CANTOPEN, unavailable, reachable),
    THREADKEEP_ROW(SQLITE_CANTOPEN_NOTEMPDIR, unavailable,
                   "set TMPDIR to a directory that is writable"),
    THREADKEEP_ROW(SQLITE_CANTOPEN_ISDIR, invalid_argument,
                   "the path names a directory; name a file in it"),
    THREADKEEP_ROW(SQLITE_CANTOPEN_FULLPATH, unavailable, reachable),
    THREADKEEP_ROW(SQLITE_CANTOPEN_CONVPATH, unavailable, reachable),
    THREADKEEP_ROW(SQLITE_CANTOPEN_SYMLINK, denied, "name the file itself, not a symbolic link"),
    THREADKEEP_ROW(SQLITE_PROTOCOL, unavailable, retry_lock),
    THREADKEEP_ROW(SQLITE_EMPTY, internal, report),
    THREADKEEP_ROW(SQLITE_SCHEMA, corrupt,
                   "another program changed the tables; restore the file from a backup"),
    THREADKEEP_ROW(SQLITE_TOOBIG, invalid_argument, smaller),
    THREADKEEP_ROW(SQLITE_CONSTRAINT, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_CHECK, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_COMMITHOOK, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_FOREIGNKEY, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_FUNCTION, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_NOTNULL, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_PRIMARYKEY, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_TRIGGER, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_UNIQUE, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_VTAB, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_ROWID, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_PINNED, internal, report),
    THREADKEEP_ROW(SQLITE_CONSTRAINT_DATATYPE, internal, report),
    THREADKEEP_ROW(SQLITE_MISMATCH, internal, report),
    THREADKEEP_ROW(SQLITE_MISUSE, internal, report),
    THREADKEEP_ROW(SQLITE_NOLFS, unsupported,
                   "move the file to a file system with support for large files"),
    THREADKEEP_ROW(SQLITE_AUTH, denied, writable),
    THREADKEEP_ROW(SQLITE_AUTH_USER, denied, writable),
    THREADKEEP_ROW(SQLITE_FORMAT, corrupt, damaged),
    THREADKEEP_ROW(SQLITE_RANGE, internal, report),
    THREADKEEP_ROW(SQLITE_NOTADB, corrupt,
                   "the file is not an SQLite database, or it is damaged or encrypted; "
                   "name another file or restore it from a backup"),
};

#undef THREADKEEP_ROW

const ResultCode* find_row(int code) noexcept {
  const auto* row = std::find_if(std::begin(rows), std::end(rows),
                                 [&](const ResultCode& r) { return r.code == code; });
  return row == std::end(rows) ? nullptr : row;
}

bool waits_for_lock(int primary) noexcept {
  return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL ||
         primary == SQLITE_INTERRUPT;
}

bool is_about_space(int system_errno) noexcept {
  return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

// Only these two families carry an errno that says more than the code.
Code refine_by_errno(Code code, int primary, int system_errno) noexcept {
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return code;
  if (is_about_space(system_errno)) return Code::no_space;
  switch (system_errno) {
    case EISDIR:
      return Code::invalid_argument;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::denied;
    default:
      return code;
  }
}

// COMMIT writes the frame that makes the transaction count last, and then waits for the disk. A
// write that found no space is before that; of other I/O errors one cannot say.
bool leaves_outcome_unknown(const Failure& failure) noexcept {
  if (!failure.committing || (failure.code & 0xff) != SQLITE_IOERR) return false;
  return failure.code != SQLITE_IOERR_WRITE || !is_about_space(failure.system_errno);
}

std::string_view advice_for(Code code, const ResultCode& row) noexcept {
  switch (code) {
    case Code::no_space:
      return free_space;
    case Code::timeout:
      return interrupted;
    case Code::cancelled:
      return {};
    case Code::outcome_unknown:
      return "check the disk, then send the write again: it is idempotent";
    case Code::denied:
      return row.meaning == Code::denied ? row.advice : writable;
    default:
      return row.advice;
  }
}

}  // namespace

std::span<const ResultCode> result_codes() noexcept {
  return rows;
}

const ResultCode& result_code(int extended) noexcept {
  if (const auto* row = find_row(extended)) return *row;
  if (const auto* row = find_row(extended & 0xff)) return *row;
  return rows[0];
}

Code meaning_of(const Failure& failure) noexcept {
  const int primary = failure.code & 0xff;
  if (leaves_outcome_unknown(failure)) return Code::outcome_unknown;
  if (waits_for_lock(primary)) {
    if (failure.interruption == Interruption::deadline) return Code::timeout;
    if (failure.interruption == Interruption::stop) return Code::cancelled;
  }
  return refine_by_errno(result_code(failure.code).meaning, primary, failure.system_errno);
}

Error make_error(const Failure& failure) {
  const ResultCode& row = result_code(failure.code);
  const Code code = meaning_of(failure);
  std::string message(failure.detail.empty() ? sqlite3_errstr(failure.code) : failure.detail);
  if (const auto advice = advice_for(code, row); !advice.empty()) {
    message.append("; ").append(advice);
  }
  return Error(code, message, row.name);
}

}  // namespace threadkeep::sqlite
