// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "threadkeep/metrics.hpp"

/// \file
/// Metrics for Prometheus. In the library threadkeep::exporters; see
/// docs/operation/observability.md.

namespace threadkeep {

/// The text that Prometheus scrapes (format 0.0.4) and that its node exporter reads from files.
std::string prometheus_text(const std::vector<MetricFamily>& families);

/// Serves GET /metrics over HTTP, without TLS and to everybody who can reach it, from threads of
/// its own until it is destroyed. A forked child makes its own, on another port; to destroy the
/// inherited one there does nothing, and as long as the child runs, the port stays taken.
class PrometheusEndpoint {
 public:
  /// `address`: "127.0.0.1:9464"; port 0 takes a free one. Throws Error(unavailable) when it
  /// cannot listen there.
  explicit PrometheusEndpoint(const std::string& address,
                              std::shared_ptr<Metrics> metrics = Metrics::process());
  ~PrometheusEndpoint();
  PrometheusEndpoint(const PrometheusEndpoint&) = delete;
  PrometheusEndpoint& operator=(const PrometheusEndpoint&) = delete;

  int port() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace threadkeep
