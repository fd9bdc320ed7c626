// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "threadkeep/session_support.hpp"
#include "transaction.hpp"

namespace threadkeep::redis {

/// The documents that a mutation changes: what is taken to be stored, absent until the server has
/// told, and what becomes of it. The changes must outlive this.
class Documents {
 public:
  explicit Documents(const std::vector<StateChange>& changes);

  /// Decides what becomes of the documents. Throws Error(conflict).
  void decide();
  /// What lua/sessions/change.lua has told.
  void tell(const Reply& found);

  void add_arguments(Transaction& transaction) const;
  bool any_changed() const noexcept;
  /// Those that are taken to be stored stay.
  void keep(Written& written) const;

 private:
  struct Entry {
    const StateChange* change;
    std::optional<StateDocument> stored;
    std::string digest;
    StateOutcome outcome;
  };

  std::vector<Entry> entries_;
};

}  // namespace threadkeep::redis
