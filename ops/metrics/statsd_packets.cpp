// SPDX-License-Identifier: Apache-2.0
#include "statsd_packets.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace threadkeep {

namespace {

constexpr std::string_view seconds = "_seconds";

// What separates parts of a line, or of a name in the servers behind it, does not stay in a value.
std::string plain(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '-') c = '_';
  }
  return result;
}

// The shortest text that is the same number again; in no language's own way, and without an
// exponent, which not every server reads.
std::string text_of(double value) {
  std::array<char, 512> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), end.ptr};
}

// Servers count 1/rate, and drop what is behind the point: so it is never less than `count`.
std::string rate_for(std::uint64_t count) {
  return text_of(std::nextafter(1.0 / static_cast<double>(count), 0.0));
}

}  // namespace

std::vector<std::string> StatsdPackets::of(const std::vector<MetricFamily>& families) {
  packets_.clear();
  for (const MetricFamily& family : families) {
    for (const MetricFamily::Sample& sample : family.samples) {
      const Name whole = name(family, sample.labels);
      if (family.kind == MetricFamily::Kind::counter) add_counter(whole, sample.value);
      if (family.kind == MetricFamily::Kind::gauge) add_gauge(whole, sample.value);
      if (family.kind == MetricFamily::Kind::histogram) add_timings(whole, sample.histogram);
    }
  }
  return std::move(packets_);
}

// Timings of StatsD are milliseconds, so "..._seconds" becomes "..._ms".
StatsdPackets::Name StatsdPackets::name(const MetricFamily& family,
                                        const MetricLabels& labels) const {
  Name name{family.name, {}};
  if (family.kind == MetricFamily::Kind::histogram && name.text.ends_with(seconds)) {
    name.text.replace(name.text.size() - seconds.size(), seconds.size(), "_ms");
  }
  for (const auto& [label, value] : labels) {
    if (labels_ == StatsdOptions::Labels::in_name) {
      name.text.append(".").append(plain(value));
    } else {
      name.tags.append(name.tags.empty() ? "|#" : ",").append(label).append(":");
      name.tags.append(plain(value));
    }
  }
  return name;
}

void StatsdPackets::add(std::string_view value, std::string_view type, const Name& whole) {
  std::string line = whole.text;
  line.append(":").append(value).append("|").append(type).append(whole.tags);
  if (packets_.empty() || packets_.back().size() + 1 + line.size() > max_bytes) {
    packets_.push_back(std::move(line));
  } else {
    packets_.back().append("\n").append(line);
  }
}

std::uint64_t StatsdPackets::growth(const std::string& key, std::uint64_t value) {
  std::uint64_t& before = sent_[key];
  return value - std::exchange(before, value);
}

void StatsdPackets::add_counter(const Name& name, double value) {
  const auto grown = growth(name.text + name.tags, static_cast<std::uint64_t>(value));
  if (grown > 0) add(std::to_string(grown), "c", name);
}

// A sign would mean a change by that much.
void StatsdPackets::add_gauge(const Name& name, double value) {
  if (value < 0) add("0", "g", name);
  add(text_of(value), "g", name);
}

void StatsdPackets::add_timings(const Name& name, const Histogram::Values& values) {
  for (std::size_t i = 0; i < values.counts.size(); ++i) {
    const auto grown = growth(name.text + name.tags + "/" + std::to_string(i), values.counts[i]);
    if (grown == 0) continue;
    const double limit = Histogram::limits[std::min(i, Histogram::limits.size() - 1)];
    const std::string rate = grown == 1 ? "" : "|@" + rate_for(grown);
    add(text_of(limit * 1000), "ms" + rate, name);
  }
}

}  // namespace threadkeep
