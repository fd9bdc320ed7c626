// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "diary.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::soak {

/// What the only writer of a thread was told, kept without any store. What a write means is written
/// down here a second time, and so shortly that it can be read. Not thread-safe.
class Ledger {
 public:
  explicit Ledger(std::string thread_id) : thread_id_(std::move(thread_id)) {}

  const std::string& thread_id() const noexcept { return thread_id_; }
  /// The latest checkpoint that is stored for sure; "" before there is one.
  const std::string& latest() const noexcept { return latest_; }

  void take(const Entry& entry);

  /// Compare a read, at any moment when nothing is under way. Each problem is a line.
  void look_at_latest(Store& store, const Call& call, std::vector<std::string>& problems) const;
  void look_at_message(Store& store, const Call& call, std::vector<std::string>& problems) const;
  void look_at_documents(Store& store, const Call& call, std::vector<std::string>& problems) const;
  /// Compares everything, at the end.
  void compare(Store& store, std::vector<std::string>& problems) const;

 private:
  using Entries = std::map<std::string, Told>;

  void take_document(const Entry& entry);
  std::string noted(const std::string& id) const;
  void compare(const std::string& kind, const Entries& entries, const std::set<std::string>& found,
               std::vector<std::string>& problems) const;
  void compare_checkpoints(Store& store, std::vector<std::string>& problems) const;
  void compare_messages(Store& store, std::vector<std::string>& problems) const;

  const std::string thread_id_;
  std::string latest_;
  std::string latest_message_;
  Entries checkpoints_;
  std::map<std::string, Entries> writes_;  // by checkpoint
  Entries messages_;
  std::map<std::string, std::set<std::string>> documents_;  // by key, what each may be
  Told deletion_ = Told::refused;
  std::set<std::string> late_;
  std::map<std::string, std::string> notes_;
};

/// The value of the only channel of a checkpoint.
std::string value_of(const std::string& checkpoint_id);

}  // namespace threadkeep::soak
