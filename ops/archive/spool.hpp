// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace threadkeep::ops {

/// Lines that wait until all of their thread has been checked. What does not fit into memory goes
/// to a file without a name below TMPDIR, which ends with this object. Not thread-safe.
class Spool {
 public:
  struct Place {
    std::uint64_t at = 0;
    std::size_t size = 0;
  };

  explicit Spool(std::size_t max_memory = 64 * 1024 * 1024) : max_memory_(max_memory) {}

  /// Throws Error(no_space) when the file cannot grow.
  Place add(std::string_view line);
  std::string read(const Place& place) const;

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

  void open_file();

  std::size_t max_memory_;
  std::string memory_;  // the beginning
  File file_{nullptr, &std::fclose};
  std::uint64_t size_ = 0;
};

}  // namespace threadkeep::ops
