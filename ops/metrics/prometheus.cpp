// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/prometheus.hpp"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <limits>
#include <sstream>

#include "threadkeep/error.hpp"

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

class Collected final : public prometheus::Collectable {
 public:
  explicit Collected(std::shared_ptr<Metrics> metrics) : metrics_(std::move(metrics)) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    return converted(metrics_->snapshot());
  }

 private:
  std::shared_ptr<Metrics> metrics_;
};

}  // namespace

std::string prometheus_text(const std::vector<MetricFamily>& families) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, converted(families));
  return std::move(text).str();
}

struct PrometheusEndpoint::Server {
  Server(const std::string& address, std::shared_ptr<Metrics> metrics)
      : collected(std::make_shared<Collected>(std::move(metrics))), exposer(address, 2) {
    exposer.RegisterCollectable(collected);
  }

  const pid_t process = getpid();
  std::shared_ptr<Collected> collected;  // the exposer does not own it
  prometheus::Exposer exposer;
};

PrometheusEndpoint::PrometheusEndpoint(const std::string& address,
                                       std::shared_ptr<Metrics> metrics) {
  try {
    server_ = std::make_unique<Server>(address, std::move(metrics));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(Code::unavailable, "metrics: cannot listen on '" + address + "' (" + error.what() +
                                       "); name an address of this machine and a free port, as "
                                       "in 127.0.0.1:9464");
  }
}

// In a forked child its threads do not exist, and nobody must wait for them.
PrometheusEndpoint::~PrometheusEndpoint() {
  if (server_->process != getpid()) static_cast<void>(server_.release());
}

int PrometheusEndpoint::port() const {
  const auto ports = server_->exposer.GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

}  // namespace threadkeep
