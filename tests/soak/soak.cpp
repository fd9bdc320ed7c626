// SPDX-License-Identifier: Apache-2.0
// Random operations against a real server, random faults, and a ledger of what was acknowledged.
// See `soak --help`.
#include <chrono>
#include <deque>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "subject.hpp"
#include "threadkeep/registry.hpp"
#include "worker.hpp"

namespace threadkeep::soak {
namespace {

using namespace std::chrono_literals;

constexpr auto usage =
    R"(soak [--backend postgres|redis | --url URL] [--seconds N] [--threads N] [--seed N]

Threads write, read and delete at random in a store whose server and network fail at random. What
each was told is compared with what it reads and, at the end, with what the store holds: all that was
acknowledged, nothing that was refused, and of what is unknown some. Exit code 1 when not.

  --backend  a private server of that kind, behind a proxy, both disturbed (postgres)
  --url      instead: an empty store that somebody else disturbs
  --seconds  how long (15)
  --threads  how many (8)
  --seed     makes the same choices again, though not at the same moments (random)
)";

struct Options {
  std::string subject = "postgres";
  int seconds = 15;
  int threads = 8;
  unsigned seed = std::random_device()();
};

Options read_options(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string key = words[i];
    const std::string value = words[i + 1];
    if (key == "--backend" || key == "--url")
      options.subject = value;
    else if (key == "--seconds")
      options.seconds = std::stoi(value);
    else if (key == "--threads")
      options.threads = std::stoi(value);
    else if (key == "--seed")
      options.seed = static_cast<unsigned>(std::stoul(value));
    else
      throw std::invalid_argument("unknown option " + key);
  }
  if (count % 2 == 0) throw std::invalid_argument("an option needs a value");
  return options;
}

using Faults = std::map<std::string, int>;

Faults disturb_until(std::chrono::steady_clock::time_point end, Subject& subject, unsigned seed) {
  std::mt19937 random(seed);
  Faults faults;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 500));
    ++faults[subject.disturb(random)];
  }
  return faults;
}

// The server may still be starting.
void wait_until_it_works(Store& store) {
  for (int i = 0; i < 100 && !store.ping(Call()).ok; ++i) std::this_thread::sleep_for(100ms);
}

int report(const std::deque<Worker>& workers, const Faults& faults, unsigned seed) {
  Worker::Counts sum;
  std::size_t problems = 0;
  for (const Worker& worker : workers) {
    for (std::size_t i = 0; i < sum.writes.size(); ++i)
      sum.writes.at(i) += worker.counts().writes.at(i);
    sum.reads += worker.counts().reads;
    sum.failed_reads += worker.counts().failed_reads;
    problems += worker.problems().size();
    for (const auto& problem : worker.problems()) std::cerr << problem << "\n";
  }
  std::cout << sum.writes[0] << " writes acknowledged, " << sum.writes[1] << " refused, "
            << sum.writes[2] << " unknown; " << sum.reads << " reads, " << sum.failed_reads
            << " failed\n";
  for (const auto& [what, count] : faults) std::cout << "  " << count << " x " << what << "\n";
  if (problems > 0) std::cerr << problems << " problems; --seed " << seed << "\n";
  const bool idle = sum.writes[0] == 0 || sum.reads == 0;
  if (idle) std::cerr << "nothing was done\n";
  return problems > 0 || idle ? 1 : 0;
}

int run(const Options& options) {
  std::cout << "seed " << options.seed << std::endl;
  const auto subject = make_subject(options.subject);
  const auto store = open(subject->url());
  std::deque<Worker> workers;
  for (int i = 0; i < options.threads; ++i) workers.emplace_back(store, options.seed, i);
  std::vector<std::jthread> threads;
  threads.reserve(workers.size());
  for (Worker& worker : workers) {
    threads.emplace_back([&](const std::stop_token& stop) { worker.work(stop); });
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  const Faults faults = disturb_until(end, *subject, options.seed);
  for (auto& thread : threads) thread.request_stop();
  threads.clear();
  const auto direct = open(subject->direct_url());
  wait_until_it_works(*direct);
  for (Worker& worker : workers) worker.compare(*direct);
  return report(workers, faults, options.seed);
}

}  // namespace
}  // namespace threadkeep::soak

int main(int count, char** words) {
  try {
    if (count == 2 && std::string(words[1]) == "--help") {
      std::cout << threadkeep::soak::usage;
      return 0;
    }
    return threadkeep::soak::run(threadkeep::soak::read_options(count, words));
  } catch (const std::exception& error) {
    std::cerr << "soak: " << error.what() << "\n";
    return 2;
  }
}
