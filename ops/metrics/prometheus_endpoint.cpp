// SPDX-License-Identifier: Apache-2.0
// Apart from the text, so that who only writes that needs no HTTP server.
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <unistd.h>

#include "prometheus_families.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/prometheus.hpp"

namespace threadkeep {

namespace {

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
