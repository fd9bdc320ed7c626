// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/store_documents.hpp"

#include <iterator>
#include <utility>

namespace threadkeep::migration {

namespace {

constexpr std::size_t documents_at_once = 1000;
constexpr std::size_t page_bytes = 16 * 1024 * 1024;

/// The documents of a scope, one after another.
class Documents {
 public:
  Documents(const StoreContents& contents, StateScope scope, const Call& call)
      : contents_(contents),
        call_(call),
        query_{std::move(scope), documents_at_once, page_bytes, {}} {
    fill();
  }

  /// Null at the end.
  const StateDocument* first() const { return items_.empty() ? nullptr : &items_.front(); }
  void pop() {
    items_.pop_front();
    fill();
  }

 private:
  void fill() {
    while (items_.empty() && more_) {
      auto page = contents_.read([&] { return contents_.store().states(query_, call_); });
      items_.assign(std::make_move_iterator(page.items.begin()),
                    std::make_move_iterator(page.items.end()));
      query_.cursor = page.next;
      more_ = !query_.cursor.empty();
    }
  }

  const StoreContents& contents_;
  const Call& call_;
  StateList query_;
  std::deque<StateDocument> items_;
  bool more_ = true;
};

}  // namespace

void each_document(const StoreContents& source, const StoreContents& target,
                   const StateScope& scope, const UseDocuments& use, const Call& call) {
  Documents ours(source, scope, call);
  Documents theirs(target, scope, call);
  while (ours.first() != nullptr || theirs.first() != nullptr) {
    const StateDocument* a = ours.first();
    const StateDocument* b = theirs.first();
    if (a != nullptr && b != nullptr && a->key != b->key) (a->key < b->key ? b : a) = nullptr;
    use(a, b);
    if (a != nullptr) ours.pop();
    if (b != nullptr) theirs.pop();
  }
}

}  // namespace threadkeep::migration
