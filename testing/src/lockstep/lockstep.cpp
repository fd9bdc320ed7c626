// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/lockstep.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <sstream>
#include <vector>

#include "lockstep/generate.hpp"

namespace threadkeep::testing {

namespace {

struct Difference {
  std::size_t at = 0;  // Index of the operation.
  std::string candidate;
  std::string oracle;
};

// All that two stores hold, asked for now and then and at the end: a difference that no random
// question has found yet.
std::vector<Operation> everything(bool sessions) {
  std::vector<Operation> questions{CheckpointList{}, ThreadList{}};
  if (!sessions) return questions;
  for (auto& question : all_sessions()) questions.push_back(std::move(question));
  return questions;
}

class Run {
 public:
  Run(const BackendSpec& candidate, const BackendSpec& oracle) {
    const Environment environment{[clock = clock_] { return clock->load(); }};
    candidate_ = candidate.make(environment);
    oracle_ = oracle.make(environment);
  }

  bool has_sessions() const { return candidate_->capabilities().sessions; }

  std::optional<Difference> operator()(const std::vector<Operation>& operations) {
    constexpr std::size_t checkup = 100;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (auto difference = step(operations[i], i)) return difference;
      if (i % checkup != checkup - 1 && i + 1 != operations.size()) continue;
      for (const auto& question : everything(has_sessions())) {
        if (auto difference = step(question, i)) return difference;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<Difference> step(const Operation& operation, std::size_t at) {
    if (const auto* tick = std::get_if<Tick>(&operation)) *clock_ += tick->seconds * 1'000'000;
    auto theirs = carry_out(*candidate_, operation);
    auto ours = carry_out(*oracle_, operation);
    if (theirs == ours) return std::nullopt;
    return Difference{at, std::move(theirs), std::move(ours)};
  }

  std::shared_ptr<std::atomic<std::int64_t>> clock_ =
      std::make_shared<std::atomic<std::int64_t>>(1'800'000'000'000'000);
  std::shared_ptr<Store> candidate_;
  std::shared_ptr<Store> oracle_;
};

// Leaves out ever smaller parts as long as a difference remains.
template <class Fails>
void shrink(std::vector<Operation>& operations, Fails fails) {
  for (auto part = operations.size() / 2; part > 0; part = std::min(part / 2, operations.size())) {
    for (std::size_t at = 0; at < operations.size();) {
      auto fewer = operations;
      const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      const auto length = std::min(part, fewer.size() - at);
      fewer.erase(first, first + static_cast<std::ptrdiff_t>(length));
      if (const auto difference = fails(fewer)) {
        fewer.resize(std::min(fewer.size(), difference->at + 1));
        operations = std::move(fewer);
      } else {
        at += part;
      }
    }
  }
}

std::string report(const LockstepPlan& plan, const std::vector<Operation>& operations,
                   const Difference& difference) {
  std::ostringstream out;
  out << "seed " << plan.seed << ", " << plan.operations << " operations, shrunk to "
      << operations.size() << ":\n";
  for (const auto& operation : operations) out << "  " << describe(operation) << "\n";
  out << "the tested store answers: " << difference.candidate
      << "\nthe reference answers: " << difference.oracle
      << "\n(where no operation shows it, the difference is in what the stores hold at the end)";
  return out.str();
}

}  // namespace

std::optional<std::string> run_lockstep(const BackendSpec& candidate, const BackendSpec& oracle,
                                        const LockstepPlan& plan) {
  const auto differ = [&](const auto& operations) { return Run(candidate, oracle)(operations); };
  auto operations = generate(plan.seed, plan.operations, Run(candidate, oracle).has_sessions());
  const auto first = differ(operations);
  if (!first) return std::nullopt;
  operations.resize(first->at + 1);
  shrink(operations, differ);
  const auto last = differ(operations);
  return report(plan, operations, last ? *last : *first);
}

}  // namespace threadkeep::testing
