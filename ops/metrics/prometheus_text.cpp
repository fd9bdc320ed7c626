// SPDX-License-Identifier: Apache-2.0
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

#include "prometheus_families.hpp"
#include "threadkeep/prometheus.hpp"

namespace threadkeep {

namespace {

prometheus::MetricType type_of(MetricFamily::Kind kind) {
  switch (kind) {
    case MetricFamily::Kind::counter:
      return prometheus::MetricType::Counter;
    case MetricFamily::Kind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricFamily::Kind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram cumulative(const Histogram::Values& values) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_count = values.count;
  histogram.sample_sum = values.sum;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < values.counts.size(); ++i) {
    so_far += values.counts[i];
    const bool last = i == Histogram::limits.size();
    histogram.bucket.push_back(
        {so_far, last ? std::numeric_limits<double>::infinity() : Histogram::limits[i]});
  }
  return histogram;
}

prometheus::ClientMetric converted(const MetricFamily::Sample& sample, MetricFamily::Kind kind) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  metric.counter.value = sample.value;
  metric.gauge.value = sample.value;
  if (kind == MetricFamily::Kind::histogram) metric.histogram = cumulative(sample.histogram);
  return metric;
}

}  // namespace

std::vector<prometheus::MetricFamily> converted(const std::vector<MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> all;
  all.reserve(families.size());
  for (const MetricFamily& family : families) {
    auto& one = all.emplace_back();
    one.name = family.name;
    one.help = family.help;
    one.type = type_of(family.kind);
    for (const auto& sample : family.samples) one.metric.push_back(converted(sample, family.kind));
  }
  return all;
}

std::string prometheus_text(const std::vector<MetricFamily>& families) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, converted(families));
  return std::move(text).str();
}

}  // namespace threadkeep
