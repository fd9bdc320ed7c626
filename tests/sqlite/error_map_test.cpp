// SPDX-License-Identifier: Apache-2.0
#include "sqlite/error_map.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cerrno>
#include <set>

namespace threadkeep::sqlite {
namespace {

struct Expected {
  int code;
  std::string_view name;
  Code meaning;
};

#define THREADKEEP_EXPECT_ROW(code, meaning) \
  Expected {                                 \
    code, #code, Code::meaning               \
  }

// What callers rely on, written down a second time: a change of the table must be meant.
constexpr Expected expected_rows[] = {
    THREADKEEP_EXPECT_ROW(SQLITE_ERROR, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_ERROR_MISSING_COLLSEQ, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_ERROR_RETRY, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_ERROR_SNAPSHOT, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_INTERNAL, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_PERM, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_ABORT, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_ABORT_ROLLBACK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_BUSY, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_BUSY_RECOVERY, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_BUSY_SNAPSHOT, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_BUSY_TIMEOUT, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_LOCKED, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_LOCKED_SHAREDCACHE, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_LOCKED_VTAB, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_NOMEM, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_READONLY, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_READONLY_RECOVERY, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_READONLY_CANTLOCK, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_READONLY_ROLLBACK, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_READONLY_DBMOVED, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_READONLY_CANTINIT, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_READONLY_DIRECTORY, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_INTERRUPT, cancelled),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_READ, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_SHORT_READ, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_WRITE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_FSYNC, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_DIR_FSYNC, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_TRUNCATE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_FSTAT, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_UNLOCK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_RDLOCK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_DELETE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_BLOCKED, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_NOMEM, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_ACCESS, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_CHECKRESERVEDLOCK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_LOCK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_CLOSE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_DIR_CLOSE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_SHMOPEN, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_SHMSIZE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_SHMLOCK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_SHMMAP, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_SEEK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_DELETE_NOENT, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_MMAP, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_GETTEMPPATH, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_CONVPATH, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_VNODE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_AUTH, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_BEGIN_ATOMIC, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_COMMIT_ATOMIC, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_ROLLBACK_ATOMIC, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_DATA, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_IOERR_CORRUPTFS, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_CORRUPT, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_CORRUPT_VTAB, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_CORRUPT_SEQUENCE, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_CORRUPT_INDEX, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_NOTFOUND, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_FULL, no_space),
    THREADKEEP_EXPECT_ROW(SQLITE_CANTOPEN, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_CANTOPEN_NOTEMPDIR, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_CANTOPEN_ISDIR, invalid_argument),
    THREADKEEP_EXPECT_ROW(SQLITE_CANTOPEN_FULLPATH, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_CANTOPEN_CONVPATH, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_CANTOPEN_SYMLINK, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_PROTOCOL, unavailable),
    THREADKEEP_EXPECT_ROW(SQLITE_EMPTY, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_SCHEMA, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_TOOBIG, invalid_argument),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_CHECK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_COMMITHOOK, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_FOREIGNKEY, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_FUNCTION, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_NOTNULL, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_PRIMARYKEY, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_TRIGGER, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_UNIQUE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_VTAB, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_ROWID, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_PINNED, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_CONSTRAINT_DATATYPE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_MISMATCH, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_MISUSE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_NOLFS, unsupported),
    THREADKEEP_EXPECT_ROW(SQLITE_AUTH, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_AUTH_USER, denied),
    THREADKEEP_EXPECT_ROW(SQLITE_FORMAT, corrupt),
    THREADKEEP_EXPECT_ROW(SQLITE_RANGE, internal),
    THREADKEEP_EXPECT_ROW(SQLITE_NOTADB, corrupt),
};

TEST(ErrorMap, each_code_has_its_name_and_meaning) {
  for (const Expected& expected : expected_rows) {
    SCOPED_TRACE(expected.name);
    EXPECT_EQ(result_code(expected.code).name, expected.name);
    EXPECT_EQ(meaning_of({.code = expected.code}), expected.meaning);
    const Error error = make_error({.code = expected.code, .detail = "it failed"});
    EXPECT_EQ(error.code(), expected.meaning);
    EXPECT_EQ(error.native(), expected.name);
    if (expected.meaning == Code::cancelled) {
      EXPECT_EQ(error.message(), "it failed");
    } else {
      EXPECT_EQ(error.message().rfind("it failed; ", 0), 0u);
      EXPECT_GT(error.message().size(), 20u) << "says nothing about what to do";
    }
  }
}

TEST(ErrorMap, no_row_is_missing_in_this_test) {
  EXPECT_EQ(result_codes().size(), std::size(expected_rows));
  std::set<int> codes;
  for (const ResultCode& row : result_codes()) codes.insert(row.code);
  EXPECT_EQ(codes.size(), result_codes().size());
}

TEST(ErrorMap, an_extended_code_of_a_newer_sqlite_counts_as_its_primary_one) {
  const int unknown = SQLITE_BUSY | (99 << 8);
  EXPECT_EQ(result_code(unknown).name, "SQLITE_BUSY");
  EXPECT_EQ(meaning_of({.code = unknown}), Code::unavailable);
  EXPECT_EQ(meaning_of({.code = 98}), Code::internal);
}

TEST(ErrorMap, waiting_that_was_ended_tells_by_whom) {
  for (const int code :
       {SQLITE_BUSY, SQLITE_BUSY_RECOVERY, SQLITE_LOCKED, SQLITE_INTERRUPT, SQLITE_PROTOCOL}) {
    EXPECT_EQ(meaning_of({.code = code, .interruption = Interruption::deadline}), Code::timeout);
    EXPECT_EQ(meaning_of({.code = code, .interruption = Interruption::stop}), Code::cancelled);
  }
  EXPECT_EQ(meaning_of({.code = SQLITE_FULL, .interruption = Interruption::deadline}),
            Code::no_space);
}

TEST(ErrorMap, errno_tells_a_full_disk_and_permissions_from_other_trouble) {
  for (const int no_space : {ENOSPC, EDQUOT, EFBIG}) {
    EXPECT_EQ(meaning_of({.code = SQLITE_IOERR_WRITE, .system_errno = no_space}), Code::no_space);
    EXPECT_EQ(meaning_of({.code = SQLITE_IOERR_SHMSIZE, .system_errno = no_space}), Code::no_space);
    EXPECT_EQ(meaning_of({.code = SQLITE_CANTOPEN, .system_errno = no_space}), Code::no_space);
  }
  for (const int denied : {EACCES, EPERM, EROFS}) {
    EXPECT_EQ(meaning_of({.code = SQLITE_CANTOPEN, .system_errno = denied}), Code::denied);
  }
  EXPECT_EQ(meaning_of({.code = SQLITE_CANTOPEN, .system_errno = EISDIR}), Code::invalid_argument);
  EXPECT_EQ(meaning_of({.code = SQLITE_CORRUPT, .system_errno = ENOSPC}), Code::corrupt);
}

TEST(ErrorMap, a_commit_that_the_disk_failed_leaves_the_outcome_unknown) {
  const auto committing = [](int code, int system_errno) {
    return meaning_of({.code = code, .system_errno = system_errno, .committing = true});
  };
  EXPECT_EQ(committing(SQLITE_IOERR_FSYNC, EIO), Code::outcome_unknown);
  EXPECT_EQ(committing(SQLITE_IOERR_FSYNC, ENOSPC), Code::outcome_unknown);
  EXPECT_EQ(committing(SQLITE_IOERR_WRITE, EIO), Code::outcome_unknown);
  EXPECT_EQ(committing(SQLITE_IOERR_WRITE, ENOSPC), Code::no_space);
  EXPECT_EQ(committing(SQLITE_FULL, 0), Code::no_space);
  EXPECT_EQ(committing(SQLITE_BUSY, 0), Code::unavailable);
}

}  // namespace
}  // namespace threadkeep::sqlite
