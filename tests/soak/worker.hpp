// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "ledger.hpp"
#include "threadkeep/testing/access.hpp"

namespace threadkeep::soak {

/// One who does random things to threads of its own, one at a time, and writes down what it is
/// told. Half of the workers are asynchronous. Not thread-safe.
class Worker {
 public:
  struct Counts {
    std::array<std::size_t, 3> writes{};  ///< By what was told.
    std::size_t reads = 0;
    std::size_t failed_reads = 0;
  };

  Worker(std::shared_ptr<Store> store, unsigned seed, int number);

  void work(const std::stop_token& stop);
  /// Against what a store holds at the end.
  void compare(Store& store);

  const Counts& counts() const noexcept { return counts_; }
  const std::vector<std::string>& problems() const noexcept { return problems_; }

 private:
  void step();
  Told send(const std::string& id, const Mutation& mutation);
  Told send_once(const Mutation& mutation);
  void put();
  void put_writes();
  void append();
  void put_document();
  void erase();
  void look();
  void begin_thread();
  Call call();
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::string next_id();
  Ledger& ledger() { return ledgers_.back(); }

  const std::shared_ptr<Store> store_;
  const std::unique_ptr<testing::Access> access_;
  const std::string name_;
  std::mt19937 random_;
  int number_ = 0;
  std::string key_;
  bool may_come_late_ = false;  // what was sent last
  std::string how_;             // each sending of it ended
  std::deque<Ledger> ledgers_;  // the last one is of the thread that is written to
  Counts counts_;
  std::vector<std::string> problems_;
};

}  // namespace threadkeep::soak
