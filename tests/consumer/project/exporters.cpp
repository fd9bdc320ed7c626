// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <threadkeep/prometheus.hpp>
#include <threadkeep/statsd.hpp>

// Uses every exporter of an installed threadkeep.
int main() {
  auto metrics = std::make_shared<threadkeep::Metrics>();
  metrics->counter("consumer_total", "").add();
  const threadkeep::PrometheusEndpoint endpoint("127.0.0.1:0", metrics);
  threadkeep::StatsdReporter({.address = "127.0.0.1:8125"}, metrics).report();
  const auto text = threadkeep::prometheus_text(metrics->snapshot());
  std::cout << text;
  return endpoint.port() > 0 && text.find("consumer_total 1") != std::string::npos ? 0 : 1;
}
