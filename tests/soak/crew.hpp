// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "subject.hpp"
#include "worker.hpp"

namespace threadkeep::soak {

/// Workers in threads of this process, or of several others, which can be killed.
class Crew {
 public:
  virtual ~Crew() = default;

  virtual std::vector<pid_t> processes() const { return {}; }
  /// Kills or stops one of the processes for a moment; what it did. Only where there are some.
  virtual std::string disturb(std::mt19937& random) = 0;
  /// The work ends, and what waits in journals is stored: nothing disturbs any more.
  virtual void end() = 0;
  /// All that was told against what a store holds.
  virtual Result compare(Store& store) = 0;
};

/// Begins the work, with so many workers in each process.
std::unique_ptr<Crew> make_crew(const Subject& subject, int workers, unsigned seed);

/// What a process does that a crew has started, until the end of its standard input. Returns its
/// exit status.
int be_process(const std::string& url, const std::string& directory, const std::string& name,
               int workers, unsigned seed);

}  // namespace threadkeep::soak
