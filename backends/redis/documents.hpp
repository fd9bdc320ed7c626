// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "threadkeep/session_support.hpp"
#include "transaction.hpp"

namespace threadkeep::redis {

/// The documents that a mutation changes, and what becomes of them. At first a merge takes them to
/// be absent, and puts and deletions are left to the server, which tells what is stored where
/// values must be compared. The changes must outlive this.
class Documents {
 public:
  explicit Documents(const std::vector<StateChange>& changes);

  /// Decides what becomes of them, as far as it is not left to the server. Throws Error(conflict).
  void decide();
  /// What lua/sessions/change.lua has told.
  void tell(const Reply& found);

  void add_arguments(Transaction& transaction) const;
  /// After both.
  bool any_changed() const noexcept;
  /// Those that were told stay as they are.
  void keep(Written& written) const;

 private:
  struct Entry {
    const StateChange* change;
    std::optional<StateDocument> stored;
    std::string digest;
    StateOutcome outcome;

    bool is_left_to_server(bool told) const {
      return !told && change->kind != StateChange::Kind::merge;
    }
  };

  static void add_demand(const StateChange& change, Transaction& transaction);
  static void add_outcome(const Entry& entry, Transaction& transaction);

  std::vector<Entry> entries_;
  bool told_ = false;
};

}  // namespace threadkeep::redis
