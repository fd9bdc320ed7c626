// SPDX-License-Identifier: Apache-2.0
#include "documents.hpp"

#include <algorithm>

#include "session_layout.hpp"

namespace threadkeep::redis {

Documents::Documents(const std::vector<StateChange>& changes) {
  for (const StateChange& change : changes) entries_.push_back({&change, {}, {}, {}});
}

void Documents::decide() {
  for (Entry& entry : entries_) {
    if (entry.is_left_to_server(told_)) continue;
    entry.outcome = change_document(entry.stored, *entry.change);
  }
}

void Documents::tell(const Reply& found) {
  told_ = true;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    entry.stored.reset();
    entry.digest.clear();
    if (found[i].is_nil()) continue;
    entry.stored = decode_document(entry.change->key, found[i][0].view());
    entry.digest = found[i][1].text();
  }
}

void Documents::add_demand(const StateChange& change, Transaction& transaction) {
  const auto& expected = change.expected_version;
  const bool erase = change.kind == StateChange::Kind::erase;
  transaction.arguments.emplace_back("?" + (expected ? std::to_string(*expected) : ""));
  transaction.arguments.emplace_back(erase ? "0" : "");
  transaction.arguments.emplace_back(erase ? "" : encode_document_value(change.value));
}

void Documents::add_outcome(const Entry& entry, Transaction& transaction) {
  const auto& [document, changed] = entry.outcome;
  transaction.arguments.emplace_back(entry.digest);
  transaction.arguments.emplace_back(std::to_string(document ? document->version : 0));
  transaction.arguments.emplace_back(changed && document ? encode_document_value(document->value)
                                                         : "");
}

void Documents::add_arguments(Transaction& transaction) const {
  for (const Entry& entry : entries_) {
    transaction.arguments.emplace_back(entry.change->key);
    if (entry.is_left_to_server(told_)) {
      add_demand(*entry.change, transaction);
    } else {
      add_outcome(entry, transaction);
    }
  }
}

bool Documents::any_changed() const noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.outcome.changed; });
}

void Documents::keep(Written& written) const {
  for (const Entry& entry : entries_) {
    written.versions.push_back(entry.stored ? entry.stored->version : 0);
    ++written.kept;
  }
}

}  // namespace threadkeep::redis
