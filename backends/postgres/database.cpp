// SPDX-License-Identifier: Apache-2.0
#include "database.hpp"

#include <utility>

#include "setup.hpp"

namespace threadkeep::postgres {

Database::Database(Settings settings) : settings_(std::move(settings)), pool_(settings_) {}

std::shared_ptr<const Database::Found> Database::found() const {
  const std::scoped_lock lock(mutex_);
  return found_;
}

std::shared_ptr<const Layout> Database::layout() const {
  auto found = this->found();
  return {found, &found->layout};
}

std::shared_ptr<const Statements> Database::statements() const {
  auto found = this->found();
  return {found, &found->statements};
}

Lease Database::lease(const Call& call) {
  fork_guard_.check();
  if (begin_looking(call)) {
    std::shared_ptr<const Found> found;
    try {
      const Lease connection = pool_.take(call);
      found =
          std::make_shared<const Found>(prepare_first_use(*connection, call, settings_.first_use));
    } catch (...) {
      end_looking(nullptr);
      throw;
    }
    end_looking(std::move(found));
  }
  return pool_.take(call);
}

void Database::setup(const Call& call) {
  fork_guard_.check();
  const Settings settings = for_setup(settings_);
  Connection connection(settings, call);
  run_setup(connection, call);
  auto found = std::make_shared<const Found>(read_layout(connection, call));
  const std::scoped_lock lock(mutex_);
  found_ = std::move(found);
}

// True for the one caller who is to look; the others wait until it has.
bool Database::begin_looking(const Call& call) {
  std::unique_lock lock(mutex_);
  if (found_) return false;
  const auto is_over = [this] { return found_ || !looking_; };
  const bool over = call.deadline.is_never()
                        ? looked_.wait(lock, call.stop, is_over)
                        : looked_.wait_until(lock, call.stop, call.deadline.at(), is_over);
  if (!over) {
    if (call.stop.stop_requested()) throw Error(Code::cancelled, "the caller asked to stop");
    throw Error(Code::timeout, "the deadline passed while the store was looked at");
  }
  if (found_) return false;
  looking_ = true;
  return true;
}

void Database::end_looking(std::shared_ptr<const Found> found) {
  {
    const std::scoped_lock lock(mutex_);
    looking_ = false;
    if (found) found_ = std::move(found);
  }
  looked_.notify_all();
}

}  // namespace threadkeep::postgres
