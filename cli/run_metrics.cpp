// SPDX-License-Identifier: Apache-2.0
#include "run_metrics.hpp"

#include <archive/new_file.hpp>
#include <chrono>
#include <threadkeep/prometheus.hpp>
#include <utility>

#include "not_empty.hpp"

namespace threadkeep::cli {

RunMetrics::RunMetrics(CLI::App& options, std::string command) : command_(std::move(command)) {
  options
      .add_option("--metrics-file", file_,
                  "Write metrics for Prometheus to this file at the end, instead of one that is "
                  "there")
      ->type_name("FILE")
      ->check(not_empty());
  options.add_option("--statsd", statsd_, "Send metrics to this server of StatsD")
      ->type_name("HOST:PORT")
      ->check(not_empty());
}

void RunMetrics::begin() {
  if (!statsd_.empty()) reporter_ = std::make_unique<StatsdReporter>(StatsdOptions{statsd_});
}

void RunMetrics::succeeded() {
  end(true);
}

void RunMetrics::failed() noexcept {
  try {
    end(false);
  } catch (const std::exception&) {
    return;
  }
}

void RunMetrics::end(bool success) {
  Metrics& metrics = *Metrics::process();
  const MetricLabels labels{{"command", command_}};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  metrics.gauge("threadkeep_command_success", "Whether the command did what it should.", labels)
      .set(success ? 1 : 0);
  metrics.gauge("threadkeep_command_end_seconds", "When the command ended, since 1970 UTC.", labels)
      .set(std::chrono::duration_cast<std::chrono::seconds>(now).count());
  reporter_.reset();  // sends for the last time
  if (!file_.empty()) write_file();
}

void RunMetrics::write_file() const {
  ops::NewFile file(file_, true);
  file.let_all_read();  // Prometheus' node exporter is another user
  file.write(prometheus_text(Metrics::process()->snapshot()));
  file.finish();
}

}  // namespace threadkeep::cli
