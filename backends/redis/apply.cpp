// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <set>
#include <string>

#include "mutations.hpp"
#include "overloaded.hpp"
#include "step.hpp"

namespace threadkeep::redis {

namespace {

/// Steps that are sent at once. Those of one thread may follow each other only where the one before
/// needs no second attempt.
class Wave {
 public:
  explicit Wave(Writer& writer) : writer_(writer) {}

  bool has_room_for(const Mutation& mutation) const {
    return !repeating_.contains(std::string(lane(mutation)));
  }

  void add(const Mutation& mutation, std::unique_ptr<Step> step, Outcome& outcome) {
    const std::string thread(lane(mutation));
    in_order_ = !threads_.insert(thread).second || in_order_;
    if (step->may_repeat()) repeating_.insert(thread);
    entries_.push_back({&mutation, std::move(step), &outcome});
  }

  void run() {
    while (!entries_.empty()) run_once();
    threads_.clear();
    repeating_.clear();
    in_order_ = false;
  }

 private:
  struct Entry {
    const Mutation* mutation;
    std::unique_ptr<Step> step;
    Outcome* outcome;
  };

  void run_once() {
    std::vector<Transaction> transactions;
    transactions.reserve(entries_.size());
    std::vector<const Transaction*> pointers;
    for (const Entry& entry : entries_) {
      pointers.push_back(&transactions.emplace_back(entry.step->transaction()));
    }
    const auto attempts = writer_.run(pointers, in_order_);
    std::vector<Entry> again;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!finish(entries_[i], attempts[i])) again.push_back(std::move(entries_[i]));
    }
    entries_ = std::move(again);
  }

  static bool finish(const Entry& entry, const Attempt& attempt) {
    try {
      if (attempt.error) throw Error(*attempt.error);
      const auto written = entry.step->finish(attempt);
      if (!written) return false;
      entry.outcome->written = *written;
    } catch (const Error& error) {
      entry.outcome->error = error.during(operation_name(*entry.mutation));
    }
    return true;
  }

  Writer& writer_;
  std::vector<Entry> entries_;
  std::set<std::string> threads_;
  std::set<std::string> repeating_;
  bool in_order_ = false;
};

Written carry_out(Writer& writer, const Mutation& mutation) {
  return std::visit(Overloaded{[&](const DeleteRuns& m) { return delete_runs(writer, m); },
                               [&](const CopyThread& m) { return copy_thread(writer, m); },
                               [&](const auto&) -> Written {
                                 throw Error(Code::unsupported, "not on redis stores");
                               }},
                    mutation);
}

Outcome carry_out_alone(Writer& writer, const Mutation& mutation) {
  try {
    return {carry_out(writer, mutation), {}};
  } catch (const Error& error) {
    return {{}, error.during(operation_name(mutation))};
  }
}

}  // namespace

std::vector<Outcome> apply(Writer& writer, std::span<const Mutation> batch) {
  std::vector<Outcome> outcomes(batch.size());
  Wave wave(writer);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto step = make_step(batch[i], writer.settings(), writer.now());
    if (!step || !wave.has_room_for(batch[i])) wave.run();
    if (step) {
      wave.add(batch[i], std::move(step), outcomes[i]);
    } else {
      outcomes[i] = carry_out_alone(writer, batch[i]);
    }
  }
  wave.run();
  return outcomes;
}

}  // namespace threadkeep::redis
