// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>

namespace threadkeep::testing {

/// How much more memory this process had at once than before, since it was made. Linux counts it.
class PeakMemory {
 public:
  PeakMemory() : before_(kibibytes("VmRSS:")) {
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins here
  }

  std::size_t bytes() const {
    const auto peak = kibibytes("VmHWM:");
    return peak > before_ ? (peak - before_) * 1024 : 0;
  }

 private:
  static std::size_t kibibytes(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      std::size_t number = 0;
      if (word == name && status >> number) return number;
    }
    throw std::runtime_error("this system tells no " + name);
  }

  const std::size_t before_;
};

}  // namespace threadkeep::testing
