// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>

#include "fork_guard.hpp"

struct sqlite3;

namespace threadkeep::sqlite {

/// One open SQLite handle, closed when this goes. Not thread-safe, except that fork() may happen at
/// any time in another thread.
///
/// SQLite keeps one record for each file of the locks that its process holds. A forked child
/// inherits the record but not the locks, so a connection that it opens to the same file would
/// trust locks that it does not have, and the parent could delete the log that the child writes to.
/// Every Handle is therefore listed, and the first one that a child opens closes those that it
/// inherited; where one of them was in use at the moment of the fork, that is not possible, and the
/// child is refused.
class Handle {
 public:
  /// Opens `path`; see sqlite3_open_v2 for `flags`. Starts in use. Throws Error.
  Handle(const std::string& path, int flags);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  sqlite3* get() const noexcept { return db_; }
  /// To be called before and after every use, so that a child knows what it inherits.
  void set_in_use(bool in_use) noexcept { in_use_.store(in_use); }

 private:
  friend void drop_inherited_handles();

  bool inherited_in_use() const noexcept;
  void leave() noexcept;
  void close() noexcept;

  ForkGuard fork_guard_;
  sqlite3* db_ = nullptr;
  std::atomic<bool> in_use_{true};
};

/// Closes the handles that this process inherited by fork(). Throws Error(unsupported) when one of
/// them was in use then.
void drop_inherited_handles();

}  // namespace threadkeep::sqlite
