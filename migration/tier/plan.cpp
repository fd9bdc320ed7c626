// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/plan.hpp"

#include <algorithm>
#include <archive/sha256.hpp>
#include <map>

#include "migration/tier/words.hpp"

namespace threadkeep::migration {

namespace {

using tables::Schema;
using tables::Table;
using tables::Target;

const Table* find(const Schema& schema, const std::string& name) {
  const auto found = std::find_if(schema.tables.begin(), schema.tables.end(),
                                  [&](const Table& table) { return table.name == name; });
  return found == schema.tables.end() ? nullptr : &*found;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A pass over those pairs of columns for which `take` says so.
template <typename Take>
Pass pass_over(const TableMatch& match, Target::Mode mode, Take take) {
  Pass pass;
  pass.target.table = match.target;
  pass.target.mode = mode;
  pass.target.guard = match.guard;
  pass.target.second_guard = match.second_guard;
  for (const auto& pair : match.columns) {
    if (!take(pair)) continue;
    pass.read.push_back(pair.source);
    pass.target.columns.push_back({pair.target, pair.kind});
    if (has(match.update, pair.target)) pass.target.update.push_back(pair.target);
  }
  return pass;
}

Pass rows_pass(const TableMatch& match, Target::Mode mode, const std::vector<std::string>& links) {
  Pass pass = pass_over(match, mode, [&](const auto& pair) { return !has(links, pair.target); });
  pass.target.nulls = links;
  return pass;
}

// What a trigger did to the times of rows since pass 1 wrote them is no reason to leave them
// without their links: where rows may be newer, all columns are read, by which those of pass 1 are
// known.
Pass links_pass(const TableMatch& match, const std::vector<std::string>& links) {
  Pass pass = pass_over(match, Target::Mode::update_only, [&](const auto& pair) {
    return match.guard || has(links, pair.target) || has(match.target.key, pair.target) ||
           has(match.source.key, pair.source);
  });
  std::erase_if(pass.target.update, [&](const auto& column) { return !has(links, column); });
  return pass;
}

class Planning {
 public:
  Planning(const Schema& source, const Schema& target, bool source_has_vectors,
           const PlanOptions& options)
      : source_(source),
        target_(target),
        source_has_vectors_(source_has_vectors),
        options_(options),
        skip_(options.skip) {}

  Plan find() && {
    for (const auto& word : skip_.unknown(source_.tables)) {
      plan_.problems.push_back({quoted(word) + " is no table or column of the source",
                                "look at its spelling after --skip or --without-expired"});
    }
    for (const auto& table : source_.tables) choose(table);
    put_in_order();
    for (const auto& [name, match] : matches_) note(match);
    for (const auto& out : source_.left_out) {
      plan_.notes.push_back(quoted(out.name) + " is left out: " + out.reason);
    }
    note_unknown_order();
    note_tables_of_target();
    plan_.hash = hash();
    return std::move(plan_);
  }

 private:
  void choose(const Table& table) {
    if (auto reason = skip_.reason(table.name)) {
      plan_.skipped.push_back({table, *reason});
      return;
    }
    const Table* target = migration::find(target_, table.name);
    if (target == nullptr) {
      plan_.without_target.push_back({table, "the target has no such table"});
      return;
    }
    matches_[table.name] = match_table(table, *target, skip_.columns(table.name), plan_.problems);
  }

  void note_unknown_order() {
    for (const auto& name : options_.order) {
      if (migration::find(source_, name) || migration::find(target_, name)) continue;
      plan_.notes.push_back("the order names " + quoted(name) + ", which is no table here");
    }
  }

  void put_in_order() {
    std::vector<Table> targets;
    targets.reserve(matches_.size());
    for (const auto& [name, match] : matches_) targets.push_back(match.target);
    const Order order = order_tables(targets, options_.order);
    plan_.steps = order.steps;
    plan_.cycles = order.explanations;
    for (const auto& step : order.steps) {
      for (const auto& name : step.tables) add(matches_.at(name), order.links);
    }
    for (auto& step : plan_.steps) {
      const auto& first = plan_.table(step.tables.front());
      step.group |= first.keyless();
      if (step.parents_first && !has_tree(first, *step.parents_first)) step.parents_first.reset();
    }
  }

  // Whether the source can tell which row another one refers to.
  static bool has_tree(const TablePlan& table, const tables::ForeignKey& key) {
    const auto& read = table.rows.read;
    const auto reads = [&](const auto& column) { return has(read, column); };
    const auto& to = key.target_columns;
    const auto same = [&](const auto& unique) {
      return std::is_permutation(unique.begin(), unique.end(), to.begin(), to.end());
    };
    const auto& others = table.source.other_keys;
    return !table.source.key.empty() &&
           std::all_of(key.columns.begin(), key.columns.end(), reads) &&
           std::all_of(to.begin(), to.end(), reads) &&
           (same(table.source.key) || std::any_of(others.begin(), others.end(), same));
  }

  void add(const TableMatch& match, const std::vector<Link>& all_links) {
    const auto mode = match.keyless ? Target::Mode::insert_once : Target::Mode::upsert;
    const auto links = links_of(match, all_links);
    TablePlan plan;
    plan.source = match.source;
    plan.rows = rows_pass(match, mode, links);
    if (!links.empty()) plan.links = links_pass(match, links);
    plan.everything = rows_pass(match, mode, {});
    plan.rows.target.log = options_.row_log;
    if (plan.links) plan.links->target.log = options_.row_log;
    plan.expiry = skip_.expiry(match.source);
    plan.credentials = skip_.holds_credentials(match.source.name);
    plan_.tables.push_back(std::move(plan));
  }

  // Those that the source has too; others have no second pass to be set in.
  static std::vector<std::string> links_of(const TableMatch& match,
                                           const std::vector<Link>& all_links) {
    std::vector<std::string> columns;
    for (const auto& pair : match.columns) {
      const bool is_link = std::any_of(all_links.begin(), all_links.end(), [&](const Link& link) {
        return link.table == match.target.name && has(link.columns, pair.target);
      });
      if (is_link) columns.push_back(pair.target);
    }
    return columns;
  }

  void note(const TableMatch& match) {
    for (const auto& text : match.notes) plan_.notes.push_back(text);
    for (const auto& column : match.null_vectors) {
      plan_.notes.push_back((source_has_vectors_ ? "The source has no such column: "
                                                 : "Source tier has no pgvector support. ") +
                            column + " will be NULL in new rows; rows that have it keep it.");
    }
    if (match.keyless) {
      plan_.notes.push_back(match.target.name +
                            " has no key by which its rows are known: it is copied once, into an "
                            "empty table, in one transaction");
    }
    for (const auto& key : match.target.foreign_keys) note_skipped_target(match, key);
  }

  void note_skipped_target(const TableMatch& match, const tables::ForeignKey& key) {
    const bool skipped =
        std::any_of(plan_.skipped.begin(), plan_.skipped.end(),
                    [&](const auto& each) { return each.table.name == key.target; });
    const bool copied = std::all_of(key.columns.begin(), key.columns.end(), [&](const auto& name) {
      return std::any_of(match.columns.begin(), match.columns.end(),
                         [&](const auto& pair) { return pair.target == name; });
    });
    if (!skipped || !copied || !key.same_schema) return;
    plan_.notes.push_back(names_of(match.target.name, key.columns) + " refers to " +
                          quoted(key.target) +
                          ", which is skipped: a row is rejected unless the target has the row "
                          "that it refers to");
  }

  void note_tables_of_target() {
    std::string names;
    for (const auto& table : target_.tables) {
      if (migration::find(source_, table.name) != nullptr) continue;
      names += (names.empty() ? "" : ", ") + table.name;
    }
    if (!names.empty()) plan_.notes.push_back("Only the target has: " + names);
  }

  std::string hash() const {
    ops::Sha256 sha;
    const auto add = [&](const std::string& word) {
      sha.add(std::to_string(word.size()) + ":" + word);
    };
    for (const auto& table : plan_.tables) {
      add(table.name());
      add_pass(table.rows, add);
      add_pass(table.links.value_or(Pass{}), add);
      add(table.expiry.value_or(""));
    }
    if (options_.row_log) add("row log");
    return sha.digest();
  }

  template <typename Add>
  static void add_pass(const Pass& pass, const Add& add) {
    add(std::to_string(static_cast<int>(pass.target.mode)));
    for (const auto& column : pass.read) add(column);
    for (const auto& column : pass.target.columns) {
      add(column.name);
      add(std::string(to_string(column.kind)));
    }
    add("update");
    for (const auto& column : pass.target.update) add(column);
    add("nulls");
    for (const auto& column : pass.target.nulls) add(column);
    add("guard");
    add(pass.target.guard.value_or(""));
    add(pass.target.second_guard.value_or(""));
  }

  const Schema& source_;
  const Schema& target_;
  const bool source_has_vectors_;
  const PlanOptions& options_;
  const SkipList skip_;
  std::map<std::string, TableMatch> matches_;
  Plan plan_;
};

// Of two rows with the same key the second one would overwrite the first.
void check_names(Plan& plan, const TablePlan& table, tables::Snapshot& source, const Call& call) {
  if (table.keyless() || !table.source.key.empty()) return;
  const auto& key = table.rows.target.table.key;
  const auto unnamed = source.count_unnamed(table.source, key, call);
  if (unnamed == 0) return;
  plan.problems.push_back(
      {counted(unnamed, "row") + " of " + quoted(table.name()) + " in the source " +
           (unnamed == 1 ? "has" : "have") + " no value of their own in " +
           names_of(table.name(), key) + ", which is the key of the target",
       "give each row another value there, or leave the table behind with --skip " + table.name()});
}

void count(Skipped& skipped, tables::Snapshot& source, const Call& call) {
  skipped.row_count = source.count(skipped.table, call);
}

}  // namespace

const TablePlan& Plan::table(const std::string& name) const {
  return *std::find_if(tables.begin(), tables.end(),
                       [&](const TablePlan& each) { return each.name() == name; });
}

std::uint64_t Plan::row_count() const noexcept {
  std::uint64_t rows = 0;
  for (const auto& table : tables) rows += table.row_count;
  return rows;
}

Plan make_plan(const Schema& source, const Schema& target, bool source_has_vectors,
               const PlanOptions& options) {
  return Planning(source, target, source_has_vectors, options).find();
}

void count_rows(Plan& plan, tables::Snapshot& source, const Call& call) {
  for (auto& table : plan.tables) {
    if (table.expiry) table.expired_count = source.count_expired(table.source, *table.expiry, call);
    table.row_count = source.count(table.source, call) - table.expired_count;
    check_names(plan, table, source, call);
  }
  for (auto& skipped : plan.skipped) count(skipped, source, call);
  std::string missing;
  for (auto& absent : plan.without_target) {
    count(absent, source, call);
    if (absent.row_count == 0) {
      plan.notes.push_back(quoted(absent.table.name) +
                           " is empty, and the target does not have it");
    } else {
      missing += (missing.empty() ? "" : ", ") + absent.table.name + " (" +
                 counted(absent.row_count, "row") + ")";
    }
  }
  if (missing.empty()) return;
  plan.problems.push_back({"the target lacks tables: " + missing,
                           "let the application's own migrations create them there, or leave them "
                           "behind with --skip TABLE"});
}

}  // namespace threadkeep::migration
