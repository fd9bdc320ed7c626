// SPDX-License-Identifier: Apache-2.0
#include "stats.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "page.hpp"
#include "postgres/sql.hpp"
#include "template.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::postgres {

namespace {

constexpr std::array kinds = {"threads",  "checkpoints", "blobs",  "writes",
                              "messages", "streams",     "states", "named_states"};
constexpr std::int64_t most_pages = 10'000;   // of one table, to look at all of it
constexpr std::int64_t sample_pages = 2'000;  // of one table, otherwise
constexpr std::int64_t whole = 1'000'000;     // parts per million

using Parts = std::array<std::int64_t, kinds.size()>;

struct Sizes {
  Parts pages{};
  Parts bytes{};
};

Result run(Connection& connection, std::string_view text, const Layout& layout,
           Parameters parameters, const Call& call) {
  const Statement statement(render(text, layout));
  return run_once(connection, statement, std::move(parameters), call);
}

Sizes read_sizes(Connection& connection, const Layout& layout, const Call& call) {
  Parameters parameters;
  parameters.text(layout.schema);
  const Result rows = run(connection, sql::stats_sizes, layout, std::move(parameters), call);
  Sizes sizes;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (rows.is_null(i, 0)) continue;
    sizes.pages[i] = rows.integer(i, 0);
    sizes.bytes[i] = rows.integer(i, 1);
  }
  return sizes;
}

Parts parts_of(const Sizes& sizes) {
  Parts parts{};
  std::transform(sizes.pages.begin(), sizes.pages.end(), parts.begin(), [](std::int64_t pages) {
    return pages <= sample_pages ? whole : std::max<std::int64_t>(1, whole * sample_pages / pages);
  });
  return parts;
}

std::uint64_t scaled(std::int64_t count, std::int64_t part) {
  return static_cast<std::uint64_t>(std::llround(
      static_cast<double>(count) * static_cast<double>(whole) / static_cast<double>(part)));
}

void read_rows(Connection& connection, const Layout& layout, const Sizes& sizes, const Parts& parts,
               const Call& call, StoreStats& stats) {
  Parameters parameters;
  for (const auto part : parts) parameters.bigint(part);
  parameters.boolean(!stats.estimated);
  const Result row = run(connection, sql::stats_rows, layout, std::move(parameters), call);
  stats.stored_bytes = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto bytes = static_cast<std::uint64_t>(sizes.bytes[i]);
    stats.entities.push_back(
        {kinds[i], scaled(row.integer(0, static_cast<int>(i)), parts[i]), bytes});
    *stats.stored_bytes += bytes;
  }
}

void add_threads(const Result& rows, StatsCollector& collector) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    collector.add_thread({rows.text(i, 0), static_cast<std::uint64_t>(rows.integer(i, 1)),
                          static_cast<std::uint64_t>(rows.integer(i, 2))});
  }
}

// A sample tells which threads are large. How large they are, all of their rows tell.
void read_threads(Connection& connection, const Layout& layout, const Parts& parts, bool sampled,
                  std::size_t largest, const Call& call, StatsCollector& collector) {
  Parameters parameters;
  parameters.bigint(parts[1]).bigint(parts[2]).bigint(parts[3]).bigint(parts[4]).bigint(parts[6]);
  parameters.bigint(static_cast<std::int64_t>(largest));
  const Result rows = run(connection, sql::stats_threads, layout, std::move(parameters), call);
  if (!sampled) return add_threads(rows, collector);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < rows.size(); ++i) ids.push_back(rows.text(i, 0));
  Parameters counted;
  counted.text_array(ids);
  add_threads(run(connection, sql::stats_counted, layout, std::move(counted), call), collector);
}

void read_days(Connection& connection, const Layout& layout, std::int64_t part, const Call& call,
               StatsCollector& collector) {
  Parameters parameters;
  parameters.bigint(part);
  const Result rows = run(connection, sql::stats_days, layout, std::move(parameters), call);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    collector.add_checkpoint(rows.view(i, 0), static_cast<std::uint64_t>(rows.integer(i, 1)));
  }
}

}  // namespace

StoreStats stats(Connection& connection, const Layout& layout, const StatsQuery& query,
                 const Call& call) {
  const Sizes sizes = read_sizes(connection, layout, call);
  const bool small = std::all_of(sizes.pages.begin(), sizes.pages.end(),
                                 [](std::int64_t pages) { return pages <= most_pages; });
  StoreStats stats;
  stats.estimated = !small && !query.exact;
  stats.method = stats.estimated ? "a sample of the tables' pages" : "everything";
  Parts parts{};
  parts.fill(whole);
  if (stats.estimated) parts = parts_of(sizes);
  StatsCollector collector(query.largest);
  read_rows(connection, layout, sizes, parts, call, stats);
  read_threads(connection, layout, parts, stats.estimated, query.largest, call, collector);
  read_days(connection, layout, parts[1], call, collector);
  collector.finish(stats);
  return stats;
}

}  // namespace threadkeep::postgres
