// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "diary.hpp"
#include "ledger.hpp"
#include "threadkeep/testing/access.hpp"

namespace threadkeep::soak {

/// What became of the work.
struct Result {
  std::array<std::size_t, 3> writes{};  ///< By what was told.
  std::size_t reads = 0;
  std::size_t failed_reads = 0;
  std::vector<std::string> problems;

  void add(const Result& other);
};

/// The ledgers of a worker's threads, by what it wrote down.
std::deque<Ledger> ledgers_of(const std::string& worker, const std::vector<Entry>& entries);

/// One who does random things to threads of its own, one at a time, and writes down what it is
/// told. Half of the workers are asynchronous. Not thread-safe.
class Worker {
 public:
  struct Options {
    std::string name;
    unsigned seed = 0;
    bool is_async = false;
    /// With a file it goes on where a worker of the same name was when its process ended.
    std::filesystem::path diary = {};
  };

  Worker(std::shared_ptr<Store> store, const Options& options);

  void work(const std::stop_token& stop);
  /// Against what a store holds at the end.
  void compare(Store& store);

  const Result& result() const noexcept { return result_; }

 private:
  void step();
  Told send(Entry entry, const Mutation& mutation);
  Told send_once(const Mutation& mutation);
  void put();
  void put_writes();
  void append();
  void put_document();
  void erase();
  using Look = void (Ledger::*)(Store&, const Call&, std::vector<std::string>&) const;
  void look(Look at);
  void resume(const std::vector<Entry>& entries);
  void begin_thread();
  Call call();
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::string next_id();
  Ledger& ledger() { return ledgers_.back(); }

  const std::shared_ptr<Store> store_;
  const std::unique_ptr<testing::Access> access_;
  const std::string name_;
  std::mt19937 random_;
  unsigned number_ = 0;
  std::string key_;
  bool may_come_late_ = false;  // what was sent last
  std::string how_;             // each sending of it ended
  std::deque<Ledger> ledgers_;  // the last one is of the thread that is written to
  Diary diary_;
  Result result_;
};

}  // namespace threadkeep::soak
