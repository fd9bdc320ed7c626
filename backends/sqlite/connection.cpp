// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

namespace threadkeep::sqlite {

namespace {

using Clock = std::chrono::steady_clock;

// Virtual machine instructions between two looks at the clock: some tens of microseconds.
constexpr int instructions_per_look = 2000;

// The log is cut back to this after a large transaction.
constexpr char journal_size_limit[] = "PRAGMA journal_size_limit = 67108864";

int open_flags(Connection::Missing missing) noexcept {
  // Absolute paths never begin with "file:", so only name_to_open() makes names that are URIs.
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI;
  return missing == Connection::Missing::create ? flags | SQLITE_OPEN_CREATE : flags;
}

bool has_log(const std::string& path) noexcept {
  std::error_code ignored;
  return std::filesystem::exists(path + "-wal", ignored);
}

// The two bytes of the header that say so.
bool is_in_wal_mode(const std::string& path) {
  constexpr std::size_t versions_at = 18;
  std::array<char, versions_at + 2> header{};
  std::ifstream file(path, std::ios::binary);
  return file.read(header.data(), header.size()) && header[versions_at] == 2 &&
         header[versions_at + 1] == 2;
}

bool may_write_at(const std::string& path) noexcept {
  const auto directory = std::filesystem::path(path).parent_path();
  return access(path.c_str(), W_OK) == 0 && access(directory.c_str(), W_OK | X_OK) == 0;
}

std::string as_immutable(const std::string& path) {
  std::string name = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      name += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    } else {
      name += c;
    }
  }
  return name + "?immutable=1";
}

// A file in WAL mode cannot be read without making a log beside it. Where this user may not make
// one, or could not remove it again, and no program has the file open, it can be read as it is.
bool must_be_read_as_it_is(const std::string& path, Connection::Purpose purpose) {
  return purpose == Connection::Purpose::source && !has_log(path) && !may_write_at(path) &&
         is_in_wal_mode(path);
}

// A device or a pipe has no bytes that stay, and to SQLite some look like an empty file.
void check_keeps_bytes(const std::string& path) {
  std::error_code ignored;  // The opening of the file will say it.
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::is_other(status)) return;
  throw Error(Code::invalid_argument, "'" + path + "' is a device or a pipe; name a file");
}

std::string name_to_open(const std::string& path, Connection::Purpose purpose) {
  check_keeps_bytes(path);
  return must_be_read_as_it_is(path, purpose) ? as_immutable(path) : path;
}

// Short at first, because most locks are held for one fsync; then slow enough to leave the
// processor to the holder.
std::chrono::nanoseconds pause(int attempts) noexcept {
  return std::chrono::milliseconds(1) * (1 << std::min(attempts, 4));
}

bool is_broken_by(int result) noexcept {
  switch (result & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_MISUSE:
    case SQLITE_INTERNAL:
      return true;
    default:
      return false;
  }
}

}  // namespace

Rows::~Rows() {
  sqlite3_reset(statement_);
}

bool Rows::next() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) connection_.fail(result);
  return false;
}

std::string_view Rows::view(int column) const noexcept {
  // The order matters: the first call may convert, the others do not. Files of other programs may
  // keep their texts in UTF-16.
  if (sqlite3_column_type(statement_, column) == SQLITE_TEXT) {
    sqlite3_column_text(statement_, column);
  }
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return {data ? data : "", size};
}

std::optional<std::string> Rows::optional_text(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return {};
  return text(column);
}

std::int64_t Rows::integer(int column) const noexcept {
  return sqlite3_column_int64(statement_, column);
}

Value Rows::value(int column) const noexcept {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return Value::of(std::int64_t{sqlite3_column_int64(statement_, column)});
    case SQLITE_FLOAT:
      return Value::of(sqlite3_column_double(statement_, column));
    case SQLITE_TEXT:
      return Value::text(view(column));
    case SQLITE_BLOB:
      return Value::blob(view(column));
    default:
      return {};
  }
}

Bytes Rows::bytes(int column) const {
  const std::string_view value = view(column);
  auto owner = std::make_shared_for_overwrite<char[]>(value.size());
  value.copy(owner.get(), value.size());
  const std::string_view copied(owner.get(), value.size());
  return Bytes::share(std::move(owner), copied);
}

Connection::Connection(const Settings& settings, Purpose purpose, Missing missing, const Call& call)
    : settings_(settings),
      keeps_log_(purpose == Purpose::source && has_log(settings.path)),
      handle_(name_to_open(settings.path, purpose), open_flags(missing)) {
  start(call);
  configure(purpose);
}

void Connection::configure(Purpose purpose) {
  check(sqlite3_busy_handler(handle_.get(), wait_for_lock, this));
  sqlite3_progress_handler(handle_.get(), instructions_per_look, is_interrupted, this);
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (keeps_log_) sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (purpose != Purpose::write) {
    run_script("PRAGMA query_only = ON");
  } else {
    run_script(settings_.full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    run_script(journal_size_limit);
  }
}

void Connection::start(const Call& call) noexcept {
  handle_.set_in_use(true);
  call_ = &call;
}

void Connection::finish() noexcept {
  call_ = nullptr;
  handle_.set_in_use(false);
}

sqlite3_stmt* Connection::prepare(std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return known->second;
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  statements_.emplace(sql, statement);
  return statement;
}

// SQLITE_STATIC: parameters outlive the Rows that use them, so SQLite need not copy them. A null
// pointer would bind NULL, so empty values point at something.
void Connection::bind(sqlite3_stmt* statement, int index, std::string_view text) {
  check(sqlite3_bind_text64(statement, index, text.empty() ? "" : text.data(), text.size(),
                            SQLITE_STATIC, SQLITE_UTF8));
}

void Connection::bind(sqlite3_stmt* statement, int index, const std::optional<std::string>& text) {
  if (text) return bind(statement, index, std::string_view(*text));
  check(sqlite3_bind_null(statement, index));
}

void Connection::bind(sqlite3_stmt* statement, int index, const Bytes& bytes) {
  check(sqlite3_bind_blob64(statement, index, bytes.empty() ? "" : bytes.data(), bytes.size(),
                            SQLITE_STATIC));
}

void Connection::bind(sqlite3_stmt* statement, int index, std::int64_t number) {
  check(sqlite3_bind_int64(statement, index, number));
}

void Connection::bind(sqlite3_stmt* statement, int index, const Value& value) {
  switch (value.storage) {
    case Storage::null:
      return check(sqlite3_bind_null(statement, index));
    case Storage::integer:
      return bind(statement, index, value.integer);
    case Storage::real:
      return check(sqlite3_bind_double(statement, index, value.real));
    case Storage::text:
      return bind(statement, index, value.bytes);
    case Storage::blob:
      check(sqlite3_bind_blob64(statement, index, value.bytes.empty() ? "" : value.bytes.data(),
                                value.bytes.size(), SQLITE_STATIC));
  }
}

Rows Connection::query_with(std::string_view sql, const std::vector<std::string_view>& parameters) {
  sqlite3_stmt* statement = prepare(sql);
  int index = 0;
  for (const std::string_view parameter : parameters) bind(statement, ++index, parameter);
  return Rows(*this, statement);
}

Rows Connection::query_values(std::string_view sql, std::span<const Value> parameters) {
  sqlite3_stmt* statement = prepare(sql);
  const auto known = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement));
  int index = 0;
  for (const Value& parameter : parameters.first(std::min(known, parameters.size()))) {
    bind(statement, ++index, parameter);
  }
  return Rows(*this, statement);
}

bool Connection::is_autoincrement(const std::string& table, const std::string& column) {
  int autoincrement = 0;
  check(sqlite3_table_column_metadata(handle_.get(), "main", table.c_str(), column.c_str(), nullptr,
                                      nullptr, nullptr, nullptr, &autoincrement));
  return autoincrement != 0;
}

bool Connection::has_unresolved_references() const noexcept {
  int unresolved = 0;
  int unused = 0;
  sqlite3_db_status(handle_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &unresolved, &unused, 0);
  return unresolved != 0;
}

std::int64_t Connection::total_changes() const noexcept {
  return sqlite3_total_changes(handle_.get());
}

std::int64_t Connection::changes() const noexcept {
  return sqlite3_changes(handle_.get());
}

void Connection::run_script(const char* sql) {
  check(sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr));
}

void Connection::begin_read() {
  check_call();
  execute("BEGIN");
}

void Connection::begin_write() {
  check_call();
  execute("BEGIN IMMEDIATE");
}

void Connection::commit() {
  try {
    check_call();
    committing_ = true;
    errno = 0;
    execute("COMMIT");
  } catch (...) {
    committing_ = false;  // It may have ended the transaction, and rollback() do nothing.
    rollback();
    throw;
  }
  committing_ = false;
}

void Connection::rollback() noexcept {
  if (!in_transaction()) return;
  committing_ = true;  // Not to be interrupted.
  try {
    execute("ROLLBACK");
  } catch (...) {
    broken_ = true;
  }
  committing_ = false;
}

bool Connection::in_transaction() const noexcept {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

Interruption Connection::interruption() const noexcept {
  if (!call_) return Interruption::none;
  if (call_->stop.stop_requested()) return Interruption::stop;
  return call_->deadline.passed() ? Interruption::deadline : Interruption::none;
}

void Connection::check_call() const {
  switch (interruption()) {
    case Interruption::none:
      return;
    case Interruption::stop:
      throw Error(Code::cancelled, "the caller asked to stop");
    case Interruption::deadline:
      throw Error(Code::timeout, "the deadline passed");
  }
}

void Connection::check(int result) {
  if (result != SQLITE_OK) fail(result);
}

void Connection::fail(int result) {
  const int last_errno = errno;
  if (is_broken_by(result)) broken_ = true;
  last_message_ = sqlite3_errmsg(handle_.get());
  const std::string detail = "'" + settings_.path + "': " + last_message_;
  // SQLite does not note the errno of a COMMIT, so the thread's own has to do.
  const int system_errno = committing_ ? last_errno : sqlite3_system_errno(handle_.get());
  throw make_error({.code = result,
                    .system_errno = system_errno,
                    .detail = detail,
                    .interruption = interruption(),
                    .committing = committing_});
}

int Connection::wait_for_lock(void* self, int attempts) noexcept {
  auto& connection = *static_cast<Connection*>(self);
  const auto now = Clock::now();
  if (attempts == 0) connection.waiting_since_ = now;
  const auto left = connection.settings_.busy - (now - connection.waiting_since_);
  if (left <= left.zero() || connection.interruption() != Interruption::none) return 0;
  std::chrono::nanoseconds wait = std::min<std::chrono::nanoseconds>(left, pause(attempts));
  if (connection.call_) wait = std::min(wait, connection.call_->deadline.left());
  std::this_thread::sleep_for(wait);
  return 1;
}

int Connection::is_interrupted(void* self) noexcept {
  const auto& connection = *static_cast<const Connection*>(self);
  return !connection.committing_ && connection.interruption() != Interruption::none;
}

}  // namespace threadkeep::sqlite
