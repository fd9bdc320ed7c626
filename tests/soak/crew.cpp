// SPDX-License-Identifier: Apache-2.0
#include "crew.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "process.hpp"
#include "threadkeep/metrics.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::soak {

namespace {

using namespace std::chrono_literals;

double waiting_in_journals() {
  for (const MetricFamily& family : Metrics::process()->snapshot()) {
    if (family.name == "threadkeep_journal_entries" && !family.samples.empty()) {
      return family.samples.front().value;
    }
  }
  return 0;
}

// Servers may still be starting. On a busy machine it takes long, but it must go on.
void wait_until_all_is_stored(Store& store) {
  auto least = waiting_in_journals();
  auto latest = std::chrono::steady_clock::now() + 60s;
  while (!store.ping(Call()).ok || waiting_in_journals() > 0) {
    std::this_thread::sleep_for(20ms);
    const auto now = std::chrono::steady_clock::now();
    const auto waiting = waiting_in_journals();
    if (waiting < least) latest = now + 60s;
    least = std::min(least, waiting);
    if (now > latest) throw std::runtime_error("it does not recover: " + store.ping(Call()).detail);
  }
}

std::shared_ptr<Store> open_in_spite_of_outages(const std::string& url) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  for (;;) {
    try {
      return open(url);
    } catch (const Error& error) {
      const bool passes = error.code() == Code::unavailable || error.code() == Code::timeout ||
                          error.code() == Code::no_space;
      if (!passes || std::chrono::steady_clock::now() > end) throw;
      std::this_thread::sleep_for(20ms);
    }
  }
}

std::string worker_name(const std::string& prefix, int number) {
  return prefix + "worker" + std::to_string(number);
}

class Threads final : public Crew {
 public:
  Threads(const std::string& url, int workers, unsigned seed, const std::string& prefix = {},
          const std::filesystem::path& diaries = {})
      : store_(open_in_spite_of_outages(url)) {
    for (int i = 0; i < workers; ++i) {
      const auto name = worker_name(prefix, i);
      workers_.emplace_back(store_,
                            Worker::Options{.name = name,
                                            .seed = seed + static_cast<unsigned>(i),
                                            .is_async = i % 2 == 1,
                                            .diary = diaries.empty() ? "" : diaries / name});
    }
    for (Worker& worker : workers_) {
      threads_.emplace_back([&](const std::stop_token& stop) { worker.work(stop); });
    }
  }

  std::string disturb(std::mt19937&) override { return "nothing"; }

  void end() override {
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
    wait_until_all_is_stored(*store_);
  }

  Result compare(Store& store) override {
    for (Worker& worker : workers_) worker.compare(store);
    return result();
  }

  Result result() const {
    Result sum;
    for (const Worker& worker : workers_) sum.add(worker.result());
    return sum;
  }

 private:
  const std::shared_ptr<Store> store_;
  std::deque<Worker> workers_;
  std::vector<std::jthread> threads_;
};

class Processes final : public Crew {
 public:
  Processes(const Subject& subject, int workers, unsigned seed)
      : subject_(subject), workers_(workers), seed_(seed) {
    for (int process = 0; process < subject.processes(); ++process) {
      for (int i = 0; i < workers; ++i) {
        Diary::create(diaries_.path() / worker_name(prefix_of(process), i));
      }
      processes_.push_back(begin(process));
    }
  }

  std::vector<pid_t> processes() const override {
    std::vector<pid_t> pids;
    for (const Process& process : processes_) pids.push_back(process.pid());
    return pids;
  }

  std::string disturb(std::mt19937& random) override {
    const auto number = random() % processes_.size();
    Process& process = processes_.at(number);
    const auto time = std::chrono::milliseconds(1 + random() % 600);
    if (random() % 3 == 0) {
      ::kill(process.pid(), SIGSTOP);
      std::this_thread::sleep_for(time);
      ::kill(process.pid(), SIGCONT);
      return "process stood still";
    }
    process.kill();
    std::this_thread::sleep_for(time);
    seed_ += 1000;  // It does other things than before.
    process = begin(static_cast<int>(number));
    return "process killed";
  }

  void end() override {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (!processes_[i].end()) problems_.push_back("process " + std::to_string(i) + " failed");
    }
  }

  Result compare(Store& store) override {
    Result sum;
    sum.problems = problems_;
    for (int process = 0; process < subject_.processes(); ++process) {
      for (int i = 0; i < workers_; ++i) {
        sum.add(compare(store, worker_name(prefix_of(process), i)));
      }
    }
    return sum;
  }

 private:
  static std::string prefix_of(int number) { return "process" + std::to_string(number); }

  Process begin(int number) const {
    return Process({"--work", subject_.url(number), "--diaries", diaries_.path().string(), "--name",
                    prefix_of(number), "--threads", std::to_string(workers_), "--seed",
                    std::to_string(seed_ + 100 * static_cast<unsigned>(number))});
  }

  Result compare(Store& store, const std::string& worker) const {
    const auto diary = Diary::read(diaries_.path() / worker);
    Result result;
    result.problems = diary.problems;
    result.reads = diary.reads;
    result.failed_reads = diary.failed_reads;
    for (const Entry& entry : diary.entries) {
      ++result.writes.at(static_cast<std::size_t>(entry.told));
    }
    for (const Ledger& one : ledgers_of(worker, diary.entries)) {
      one.compare(store, result.problems);
    }
    return result;
  }

  const Subject& subject_;
  const int workers_;
  unsigned seed_;
  testing::TemporaryDirectory diaries_;
  std::vector<Process> processes_;
  std::vector<std::string> problems_;
};

}  // namespace

std::unique_ptr<Crew> make_crew(const Subject& subject, int workers, unsigned seed) {
  if (subject.processes() > 0) return std::make_unique<Processes>(subject, workers, seed);
  return std::make_unique<Threads>(subject.url(0), workers, seed);
}

int be_process(const std::string& url, const std::string& directory, const std::string& name,
               int workers, unsigned seed) {
  signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is an error then.
  Threads threads(url, workers, seed, name, directory);
  char ignored = 0;
  while (read(STDIN_FILENO, &ignored, 1) > 0) continue;
  threads.end();
  return threads.result().problems.empty() ? 0 : 1;
}

}  // namespace threadkeep::soak
