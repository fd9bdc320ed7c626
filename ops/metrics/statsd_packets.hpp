// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/statsd.hpp"

namespace threadkeep {

/// Turns snapshots into packets of StatsD: counters by how much they grew since the last snapshot,
/// gauges as they are, and histograms as timings, each observation as the upper limit of its
/// bucket. Not thread-safe.
class StatsdPackets {
 public:
  /// Fits into one frame of Ethernet with the headers of IPv6.
  static constexpr std::size_t max_bytes = 1432;

  explicit StatsdPackets(StatsdOptions::Labels labels) : labels_(labels) {}

  /// What changed since the last call; lines are not split over packets.
  std::vector<std::string> of(const std::vector<MetricFamily>& families);

 private:
  struct Name {
    std::string text;
    std::string tags;
  };

  Name name(const MetricFamily& family, const MetricLabels& labels) const;
  void add(std::string_view value, std::string_view type, const Name& whole);
  void add_counter(const Name& name, double value);
  void add_gauge(const Name& name, double value);
  void add_timings(const Name& name, const Histogram::Values& values);
  std::uint64_t growth(const std::string& key, std::uint64_t value);

  StatsdOptions::Labels labels_;
  std::map<std::string, std::uint64_t> sent_;
  std::vector<std::string> packets_;
};

}  // namespace threadkeep
