// SPDX-License-Identifier: Apache-2.0
#include "handle.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <vector>

#include "error_map.hpp"
#include "fork_locks.hpp"

namespace threadkeep::sqlite {

namespace {

// Never destroyed: stores may outlive the statics of this file.
struct HandleList {
  std::mutex mutex;
  std::vector<Handle*> handles;
  bool unusable = false;  // A handle was in use when this process was forked.
};

HandleList& handle_list() {
  static HandleList& list = []() -> HandleList& {
    auto* made = new HandleList;
    hold_over_forks(made->mutex);
    return *made;
  }();
  return list;
}

// Where a file cannot be created SQLite tries to read it, and reports that it is not there.
int errno_of_opening(const std::string& path, int system_errno) {
  if (system_errno != ENOENT) return system_errno;
  const auto directory = std::filesystem::path(path).parent_path();
  return access(directory.c_str(), W_OK | X_OK) == 0 ? system_errno : errno;
}

void finalize_statements(sqlite3* db) noexcept {
  while (sqlite3_stmt* statement = sqlite3_next_stmt(db, nullptr)) sqlite3_finalize(statement);
}

}  // namespace

// Lists the handle before SQLite is entered: a fork during the opening finds it in use.
Handle::Handle(const std::string& path, int flags) {
  drop_inherited_handles();
  {
    auto& list = handle_list();
    const std::scoped_lock lock(list.mutex);
    list.handles.push_back(this);
  }
  const int result = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr);
  if (result == SQLITE_OK) return;
  const std::string detail =
      "cannot open '" + path + "': " + (db_ ? sqlite3_errmsg(db_) : sqlite3_errstr(result));
  const int system_errno = errno_of_opening(path, db_ ? sqlite3_system_errno(db_) : 0);
  const Error error = make_error({.code = result, .system_errno = system_errno, .detail = detail});
  leave();
  throw error;
}

Handle::~Handle() {
  leave();
}

void Handle::leave() noexcept {
  auto& list = handle_list();
  const std::scoped_lock lock(list.mutex);
  std::erase(list.handles, this);
  if (inherited_in_use()) list.unusable = true;
  close();
}

bool Handle::inherited_in_use() const noexcept {
  return fork_guard_.in_child() && in_use_;
}

void Handle::close() noexcept {
  // In a child, a handle that was in use at the fork is in an unknown state and is left alone. The
  // others must not touch the log: it is the parent's.
  if (!db_ || inherited_in_use()) return;
  if (fork_guard_.in_child()) {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  finalize_statements(db_);
  sqlite3_close(db_);
  db_ = nullptr;
}

void drop_inherited_handles() {
  auto& list = handle_list();
  const std::scoped_lock lock(list.mutex);
  for (const Handle* handle : list.handles) {
    if (handle->inherited_in_use()) list.unusable = true;
  }
  if (list.unusable) {
    throw Error(Code::unsupported,
                "another thread was using an SQLite store when this process was forked, so it "
                "cannot open one; fork before stores are used, or start the child with exec");
  }
  for (Handle* handle : list.handles) {
    if (handle->fork_guard_.in_child()) handle->close();
  }
}

}  // namespace threadkeep::sqlite
