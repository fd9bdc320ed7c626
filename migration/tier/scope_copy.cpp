// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/scope_copy.hpp"

#include <utility>

#include "migration/tier/store_documents.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::migration {

namespace {

constexpr std::size_t documents_at_once = 100;
constexpr std::size_t bytes_at_once = 8 * 1024 * 1024;

}  // namespace

void ScopeCopy::run(bool dry_run, const Call& call) {
  const auto use = [&](const StateDocument* ours, const StateDocument* theirs) {
    if (ours == nullptr) return;
    ++seen_;
    bytes_ += ours->value.size();
    if (theirs == nullptr) return look_at(*ours, dry_run, call);
    if (json_equal(ours->value, theirs->value)) return;
    fail(Code::conflict, "document '" + ours->key + "' differs; that of the target stays");
  };
  each_document(source_, target_, StateScope::named(scope_), use, call);
  send(call);
}

// Each by itself: one that comes in between does not hold up the others.
void ScopeCopy::look_at(const StateDocument& document, bool dry_run, const Call& call) {
  ++stored_;
  if (dry_run) return;
  ChangeState change{StateScope::named(scope_), {}};
  change.changes.push_back({document.key, StateChange::Kind::put, document.value, 0});
  batch_.emplace_back(std::move(change));
  batch_bytes_ += document.value.size();
  if (batch_.size() >= documents_at_once || batch_bytes_ >= bytes_at_once) send(call);
}

void ScopeCopy::send(const Call& call) {
  if (batch_.empty()) return;
  batch_bytes_ = 0;
  for (const Outcome& outcome : target_.store().write_all(std::exchange(batch_, {}), call)) {
    if (!outcome.error) continue;
    if (!is_problem(outcome.error->code())) throw Error(*outcome.error);
    --stored_;
    fail(outcome.error->code(), outcome.error->message());
  }
}

void ScopeCopy::fail(Code code, const std::string& text) {
  failed_ = true;
  const auto kind = code == Code::conflict ? StoreProblemKind::conflict : StoreProblemKind::refused;
  reporter_.problem({kind, {}, scope_, code, text});
}

}  // namespace threadkeep::migration
