// SPDX-License-Identifier: Apache-2.0
#include "ledger.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "langgraph_tables.hpp"
#include "postgres/sql.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

// The words of SQL text without comments, so that explaining a step better does not change it.
std::string words(std::string_view sql) {
  std::string out;
  bool blank = false;
  for (std::size_t at = 0; at < sql.size(); ++at) {
    if (sql.substr(at, 2) == "--") at = std::min(sql.find('\n', at), sql.size() - 1);
    const bool is_blank = sql[at] == ' ' || sql[at] == '\n';
    if (!is_blank && blank && !out.empty()) out += ' ';
    if (!is_blank) out += sql[at];
    blank = is_blank;
  }
  return out;
}

// FNV-1a, 64 bits: tells texts apart, protects from nobody.
std::string checksum(std::initializer_list<std::string_view> texts) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view text : texts) {
    for (const char c : words(text) + '\n') {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
  }
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4) hex += "0123456789abcdef"[(hash >> shift) & 15];
  return hex;
}

std::string named(const Catalog::Entry& entry) {
  return "step " + std::to_string(entry.version) + " (" + entry.name + ")";
}

std::string place(const Catalog& catalog) {
  return "the ledger " + quote_identifier(catalog.schema) + ".threadkeep_migrations";
}

Error refuse(Code code, const Catalog& catalog, const std::string& what) {
  return Error(code, place(catalog) + " " + what);
}

std::optional<Error> judge_known(const Catalog& catalog, const Catalog::Entry& entry) {
  const Step& known = find_step(entry.version);
  if (entry.name != known.name || entry.checksum != known.checksum) {
    return refuse(Code::corrupt, catalog,
                  "says that threadkeep " + entry.tool_version + " did " + named(entry) +
                      " with other content than this program's step " +
                      std::to_string(known.version) + " (" + std::string(known.name) +
                      "); use the program that made the schema, or restore the ledger");
  }
  return std::nullopt;
}

std::optional<Error> judge_newer(const Catalog& catalog, const Catalog::Entry& entry) {
  if (entry.oldest_reader <= store_version) return std::nullopt;
  return refuse(Code::unsupported, catalog,
                "has " + named(entry) + " of threadkeep " + entry.tool_version +
                    ", which serves programs from store version " +
                    std::to_string(entry.oldest_reader) + " on, and this one has " +
                    std::to_string(store_version) + "; use a newer threadkeep");
}

std::optional<Error> judge_order(const Catalog& catalog) {
  std::set<int> versions;
  for (const auto& entry : catalog.ledger) {
    if (entry.version < 1) {
      return refuse(Code::corrupt, catalog, "has " + named(entry) + ", which never existed");
    }
    if (!versions.insert(entry.version).second) {
      return refuse(Code::corrupt, catalog,
                    "has " + named(entry) + " twice; delete one of the rows");
    }
  }
  for (const Step& known : steps()) {
    const bool missing = known.first_use && !versions.contains(known.version);
    if (!missing || versions.empty() || *versions.rbegin() < known.version) continue;
    return refuse(Code::corrupt, catalog,
                  "has step " + std::to_string(*versions.rbegin()) + " but not step " +
                      std::to_string(known.version) + " (" + std::string(known.name) +
                      ") before it; restore the missing row");
  }
  return std::nullopt;
}

}  // namespace

std::span<const Step> steps() {
  static const std::array<Step, store_version> all = {{
      {step::own_tables, "own_tables", true, 1, checksum({sql::setup_own_tables})},
      {step::langgraph_tables, "langgraph_tables", false, 1,
       checksum({all_langgraph_tables(), sql::setup_langgraph_blob, sql::setup_langgraph_task_path,
                 sql::setup_langgraph_record})},
      {step::index_run_id, "index_run_id", false, 1, checksum({sql::setup_index_run_id})},
      {step::index_order, "index_order", false, 1, checksum({sql::setup_index_order})},
      {step::index_thread, "index_thread", false, 1, checksum({sql::setup_index_thread})},
      {step::session_tables, "session_tables", true, 1, checksum({sql::setup_session_tables})},
      {step::tombstone_times, "tombstone_times", true, 1, checksum({sql::setup_tombstone_times})},
  }};
  return all;
}

const Step& find_step(int version) {
  return steps()[static_cast<std::size_t>(version) - 1];
}

bool is_finished(const Catalog& catalog, const Step& step) {
  const auto* entry = catalog.find_entry(step.version);
  return entry && entry->finished;
}

Verdict judge_ledger(const Catalog& catalog) {
  Verdict verdict;
  verdict.refusal = judge_order(catalog);
  for (const auto& entry : catalog.ledger) {
    if (verdict.refusal) return verdict;
    const bool newer = entry.version > store_version;
    verdict.refusal = newer ? judge_newer(catalog, entry) : judge_known(catalog, entry);
    if (newer) {
      verdict.warnings.push_back("the schema has " + named(entry) + " of the newer threadkeep " +
                                 entry.tool_version);
    } else if (!entry.finished) {
      verdict.warnings.push_back(named(entry) +
                                 " was begun and not finished: run `threadkeep setup` again");
    }
  }
  return verdict;
}

std::string record_begin(const Step& step) {
  return fill(sql::setup_record_begin, {{"{version}", std::to_string(step.version)},
                                        {"{name}", std::string(step.name)},
                                        {"{checksum}", step.checksum},
                                        {"{oldest_reader}", std::to_string(step.oldest_reader)},
                                        {"{tool_version}", THREADKEEP_VERSION}});
}

std::string record_finish(const Step& step) {
  return fill(sql::setup_record_finish, {{"{version}", std::to_string(step.version)}});
}

}  // namespace threadkeep::postgres
