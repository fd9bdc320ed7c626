// SPDX-License-Identifier: Apache-2.0
// How a program shows what its stores do: an endpoint for Prometheus, packets for StatsD, and a
// sink for logs. Prints what Prometheus would scrape.
//
//   example_observability sqlite:agent.db
#include <iostream>
#include <threadkeep/prometheus.hpp>
#include <threadkeep/statsd.hpp>
#include <threadkeep/threadkeep.hpp>

namespace {

// As the library for logs of some program takes them.
void my_log(std::string_view level, const std::string& event, const std::string& message,
            const std::vector<threadkeep::LogField>& fields) {
  std::cerr << level << " " << event << ": " << message;
  for (const auto& [key, value] : fields) std::cerr << " " << key << "=" << value;
  std::cerr << "\n";
}

void watch() {
  // [snippet log]
  threadkeep::set_log_sink([](const threadkeep::LogRecord& record) {
    my_log(to_string(record.level), record.event, record.message, record.fields);
  });
  // [/snippet log]
}

}  // namespace

int main(int argc, char** argv) {
  watch();
  // [snippet endpoint]
  threadkeep::PrometheusEndpoint endpoint("127.0.0.1:9464");  // until it is destroyed
  // [/snippet endpoint]
  // [snippet statsd]
  threadkeep::StatsdReporter reporter({.address = "127.0.0.1:8125"});  // every 10 seconds
  // [/snippet statsd]
  threadkeep::Checkpointer store(threadkeep::open(argc > 1 ? argv[1] : "memory:"));
  store.put_thread({.thread_id = "ada", .metadata = R"({"name": "Ada"})"});
  std::cout << threadkeep::prometheus_text(threadkeep::Metrics::process()->snapshot());
  return 0;
}
