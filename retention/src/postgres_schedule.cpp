// SPDX-License-Identifier: Apache-2.0
#include "columns.hpp"
#include "retention/sql.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/retention/postgres.hpp"

namespace threadkeep::retention {

std::optional<std::string> cron_expression(std::chrono::seconds every) {
  const auto seconds = every.count();
  if (seconds <= 0 || seconds % 60 != 0) return {};
  const auto minutes = seconds / 60;
  if (minutes < 60 && 60 % minutes == 0) return "*/" + std::to_string(minutes) + " * * * *";
  if (minutes % 60 != 0) return {};
  const auto hours = minutes / 60;
  if (hours < 24 && 24 % hours == 0) return "0 */" + std::to_string(hours) + " * * *";
  if (hours == 24) return "0 0 * * *";
  return {};
}

bool PostgresRetention::has_cron(const Call& call) {
  return !sql_.query(sql::cron_is_there, {}, call).empty();
}

void PostgresRetention::schedule(std::chrono::seconds every, const Call& call) {
  const auto expression = cron_expression(every);
  if (!expression) {
    throw Error(Code::invalid_argument,
                "every must be minutes that divide the hour, hours that divide the day, or 1 day");
  }
  const std::string parameters[] = {*expression};
  sql_.query(sql::cron_schedule, parameters, call);
}

bool PostgresRetention::unschedule(const Call& call) {
  return has_cron(call) && !sql_.query(sql::cron_unschedule, {}, call).empty();
}

std::optional<Job> PostgresRetention::scheduled(const Call& call) {
  if (!has_cron(call)) return {};
  const auto rows = sql_.query(sql::cron_job, {}, call);
  if (rows.empty()) return {};
  Columns columns(rows.front());
  Job job;
  for (auto* text : {&job.schedule, &job.last_status, &job.last_message}) *text = columns.text();
  return job;
}

}  // namespace threadkeep::retention
