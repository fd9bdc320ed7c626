// SPDX-License-Identifier: Apache-2.0
// Random operations against a real store, random faults, and a ledger of what was acknowledged.
// See `soak --help`.
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "crew.hpp"
#include "subject.hpp"
#include "threadkeep/log.hpp"
#include "threadkeep/registry.hpp"

namespace threadkeep::soak {
namespace {

using namespace std::chrono_literals;

constexpr auto usage =
    R"(soak [--subject NAME | --url URL] [--seconds N] [--threads N] [--seed N]

Threads write, read and delete at random in a store whose servers and network fail at random. What
each was told is compared with what it reads and, at the end, with what the store holds: all that was
acknowledged, nothing that was refused, and of what is unknown some. Exit code 1 when not.

  --url      an empty store that somebody else disturbs
  --seconds  how long (15)
  --threads  how many, of each process (8)
  --seed     makes the same choices again, though not at the same moments (random)
  --subject  instead of a URL, something private that is disturbed (postgres):
)";

struct Options {
  std::string subject = "postgres";
  std::string url;
  int seconds = 15;
  int threads = 8;
  unsigned seed = std::random_device()();
  // Of a process that belongs to a soak:
  std::string work;
  std::string diaries;
  std::string name;
};

Options read_options(int count, char** words) {
  Options options;
  const std::map<std::string, std::function<void(const std::string&)>> known{
      {"--subject", [&](const std::string& value) { options.subject = value; }},
      {"--url", [&](const std::string& value) { options.url = value; }},
      {"--seconds", [&](const std::string& value) { options.seconds = std::stoi(value); }},
      {"--threads", [&](const std::string& value) { options.threads = std::stoi(value); }},
      {"--seed",
       [&](const std::string& value) { options.seed = static_cast<unsigned>(std::stoul(value)); }},
      {"--work", [&](const std::string& value) { options.work = value; }},
      {"--diaries", [&](const std::string& value) { options.diaries = value; }},
      {"--name", [&](const std::string& value) { options.name = value; }},
  };
  for (int i = 1; i < count; i += 2) {
    const auto option = known.find(words[i]);
    if (option == known.end())
      throw std::invalid_argument(std::string("unknown option ") + words[i]);
    if (i + 1 == count) throw std::invalid_argument(option->first + " needs a value");
    option->second(words[i + 1]);
  }
  return options;
}

using Faults = std::map<std::string, int>;

Faults disturb_until(std::chrono::steady_clock::time_point end, Subject& subject, Crew& crew,
                     unsigned seed) {
  std::mt19937 random(seed);
  Faults faults;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 500));
    const auto processes = crew.processes();
    const bool to_process = !processes.empty() && random() % 3 == 0;
    ++faults[to_process ? crew.disturb(random) : subject.disturb(random, processes)];
  }
  return faults;
}

int report(const Result& result, const Faults& faults, unsigned seed) {
  for (const auto& problem : result.problems) std::cerr << problem << "\n";
  std::cout << result.writes[0] << " writes acknowledged, " << result.writes[1] << " refused, "
            << result.writes[2] << " unknown; " << result.reads << " reads, " << result.failed_reads
            << " failed\n";
  for (const auto& [what, count] : faults) std::cout << "  " << count << " x " << what << "\n";
  if (!result.problems.empty()) {
    std::cerr << result.problems.size() << " problems; --seed " << seed << "\n";
  }
  const bool idle = result.writes[0] == 0 || result.reads == 0;
  if (idle) std::cerr << "nothing was done\n";
  return result.problems.empty() && !idle ? 0 : 1;
}

// What is set aside or lost by a fallback. That servers cannot be reached is no news here.
void tell_of_errors(const LogRecord& record) {
  if (record.level < LogLevel::error) return;
  std::string line = record.event;
  for (const LogField& field : record.fields) line += " " + field.key + "=" + field.value;
  std::cerr << line + "\n";
}

// What others wrote would look like a defect.
void expect_empty(const std::string& url) {
  if (!open(url)->threads({}, Call()).items.empty()) {
    throw std::invalid_argument("the store of --url is not empty");
  }
}

int run(const Options& options) {
  std::cout << "seed " << options.seed << std::endl;
  const auto subject = make_subject(options.url.empty() ? options.subject : options.url);
  if (!options.url.empty()) expect_empty(options.url);
  const auto crew = make_crew(*subject, options.threads, options.seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  const Faults faults = disturb_until(end, *subject, *crew, options.seed);
  crew->end();
  const auto direct = open(subject->direct_url());
  return report(crew->compare(*direct), faults, options.seed);
}

}  // namespace
}  // namespace threadkeep::soak

int main(int count, char** words) {
  using namespace threadkeep::soak;
  try {
    if (count == 2 && std::string(words[1]) == "--help") {
      std::cout << usage << subject_names();
      return 0;
    }
    const Options options = read_options(count, words);
    set_log_sink(tell_of_errors);
    if (options.work.empty()) return run(options);
    return be_process(options.work, options.diaries, options.name, options.threads, options.seed);
  } catch (const std::exception& error) {
    std::cerr << "soak: " << error.what() << "\n";
    return 2;
  }
}
