// SPDX-License-Identifier: Apache-2.0
#include "migration_lock.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <thread>

#include "layout.hpp"
#include "script_call.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::redis {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Without a word for so long, a holder counts as dead.
constexpr milliseconds life = std::chrono::seconds(60);
constexpr milliseconds renewal = std::chrono::seconds(5);
constexpr milliseconds poll{200};
constexpr milliseconds time_between_words = std::chrono::seconds(10);

std::int64_t seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::string take_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  std::string word(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// Of a value: who it is, when it was taken, and a description.
tables::LockHolder holder_in(std::string_view value) {
  take_word(value);
  const std::string time = take_word(value);
  std::int64_t taken_at = 0;
  std::from_chars(time.data(), time.data() + time.size(), taken_at);
  return {std::string(value) + ", for " + std::to_string(seconds_since_1970() - taken_at) + " s"};
}

}  // namespace

MigrationLock::MigrationLock(Database& database, milliseconds patience,
                             const tables::OnWaiting& waiting, const Call& call)
    : database_(database),
      key_(migration_key(database.settings().prefix)),
      value_(random_owner() + ' ' + std::to_string(seconds_since_1970()) + ' ' +
             describe_this_process()) {
  const auto end = steady_clock::now() + patience;
  auto next_word = steady_clock::now();
  while (!take(call)) {
    if (waiting && steady_clock::now() >= next_word) {
      waiting(holder(call));
      next_word = steady_clock::now() + time_between_words;
    }
    if (steady_clock::now() >= end) refuse(call);
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(poll, call.deadline.left()));
  }
  heartbeat_.emplace(renewal, [this](const std::stop_token& stop) { renew(stop); });
}

// What cannot be given back goes by itself.
MigrationLock::~MigrationLock() {
  heartbeat_.reset();
  try {
    keep(milliseconds(0), {.deadline = Deadline::after(renewal), .stop = {}});
  } catch (const Error&) {
    return;
  }
}

std::string MigrationLock::name() const {
  return "the key " + key_;
}

void MigrationLock::check(const Call& call) {
  if (keep(life, call)) return;
  throw Error(Code::conflict,
              "the migration lock, " + name() +
                  ", is gone or another process has it; run the same command again when no other "
                  "one is at work");
}

bool MigrationLock::take(const Call& call) {
  Pipeline pipeline;
  pipeline.add({"SET", key_, value_, "NX", "PX", std::to_string(life.count())});
  return !database_.lease(call)->read(pipeline, call).front().is_nil();
}

tables::LockHolder MigrationLock::holder(const Call& call) const {
  Pipeline pipeline;
  pipeline.add({"GET", key_});
  const Reply value = database_.lease(call)->read(pipeline, call).front();
  return value.is_nil() ? tables::LockHolder{"a process that has just ended"}
                        : holder_in(value.view());
}

bool MigrationLock::keep(milliseconds time, const Call& call) const {
  Keys keys = notes_keys(database_.settings().prefix);
  keys.thread = key_;
  const Lease connection = database_.lease(call);
  const ScriptCall what{keys, {value_, std::to_string(time.count())}};
  const auto replies = call_script(*connection, scripts::keep_migration_lock, {what}, call);
  return replies.front().integer() == 1;
}

void MigrationLock::renew(const std::stop_token& stop) const noexcept {
  try {
    keep(life, {.deadline = Deadline::after(renewal), .stop = stop});
  } catch (const Error&) {
    return;  // Whoever looks at the lock finds out.
  }
}

void MigrationLock::refuse(const Call& call) const {
  throw Error(Code::unavailable,
              "the store is locked for a migration by " + holder(call).description + " (" + name() +
                  "); wait for its end, or end it: the lock goes " +
                  std::to_string(life.count() / 1000) + " s after its holder was last seen",
              tables::lock_held);
}

}  // namespace threadkeep::redis
