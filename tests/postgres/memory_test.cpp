// SPDX-License-Identifier: Apache-2.0
// Memory that runs out in the middle of a write: what is stored is never reported as not done.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "store_fixture.hpp"

namespace {

// Of this thread; the one that makes it 0 fails.
thread_local long allocations_left = -1;

}  // namespace

// Not inlined, for then compilers see malloc() beside delete and warn.
__attribute__((noinline)) void* operator new(std::size_t size) {
  if (allocations_left > 0 && --allocations_left == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

__attribute__((noinline)) void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}

__attribute__((noinline)) void operator delete(void* memory) noexcept {
  std::free(memory);
}

__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace threadkeep::postgres_test {
namespace {

class OutOfMemory : public StoreFixture {
 protected:
  // The failure of the n-th allocation; nothing when there were fewer.
  std::optional<std::vector<Outcome>> apply_with_failure(const std::vector<Mutation>& batch,
                                                         long n) {
    std::vector<Outcome> outcomes(batch.size());
    allocations_left = n;
    try {
      outcomes = backend_->apply(batch, Call());
    } catch (const std::bad_alloc&) {
      for (Outcome& outcome : outcomes) outcome.error = Error(Code::unavailable, "nothing");
    }
    const bool failed = allocations_left == 0;
    allocations_left = -1;
    if (!failed) return {};
    return outcomes;
  }

  void expect_truth(const Outcome& outcome, const std::string& thread_id) {
    if (outcome.error && outcome.error->code() == Code::outcome_unknown) return;
    EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoints WHERE thread_id = '" + thread_id + "'"),
              outcome.error ? "0" : "1")
        << (outcome.error ? outcome.error->what() : "stored");
  }
};

TEST_F(OutOfMemory, never_denies_what_is_stored) {
  int unknown = 0;
  for (long n = 1;; ++n) {
    const std::string first = "first " + std::to_string(n);
    const std::string last = "last " + std::to_string(n);
    // A transaction for each of them.
    const std::vector<Mutation> batch = {Draft(first, "1").value("a", "1", "x"), Prune{"absent"},
                                         Draft(last, "1").value("a", "1", "x")};
    const auto outcomes = apply_with_failure(batch, n);
    if (!outcomes) break;
    expect_truth(outcomes->front(), first);
    expect_truth(outcomes->back(), last);
    for (const Outcome& outcome : *outcomes) {
      unknown += outcome.error && outcome.error->code() == Code::outcome_unknown ? 1 : 0;
    }
  }
  EXPECT_GT(unknown, 0);
}

}  // namespace
}  // namespace threadkeep::postgres_test
