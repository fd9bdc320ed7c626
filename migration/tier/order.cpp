// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/order.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <threadkeep/error.hpp>

#include "migration/tier/graph.hpp"
#include "migration/tier/words.hpp"

namespace threadkeep::migration {

namespace {

using tables::ForeignKey;
using tables::Table;

struct Reference {
  std::size_t from = 0;
  std::size_t to = 0;
  const ForeignKey* key = nullptr;
  std::vector<std::string> nullable;  ///< Its columns that a second pass can set.
};
using References = std::vector<const Reference*>;

std::vector<Edge> edges_of(const References& references) {
  std::vector<Edge> edges;
  edges.reserve(references.size());
  for (const auto* each : references) edges.push_back({each->from, each->to});
  return edges;
}

References without(References references, const Reference* one) {
  std::erase(references, one);
  return references;
}

template <typename Predicate>
References those(const References& references, Predicate predicate) {
  References some;
  std::copy_if(references.begin(), references.end(), std::back_inserter(some), predicate);
  return some;
}

bool deferrable(const Reference* reference) {
  return reference->key->deferrable;
}
bool not_deferrable(const Reference* reference) {
  return !deferrable(reference);
}

class Ordering {
 public:
  Ordering(const std::vector<Table>& tables, const std::vector<std::string>& wanted)
      : tables_(tables) {
    for (std::size_t at = 0; at < tables.size(); ++at) number_[tables[at].name] = at;
    for (const auto& table : tables) collect(table);
    group_.resize(tables.size());
    for (std::size_t at = 0; at < tables.size(); ++at) group_[at] = at;
    take_wanted(wanted);
  }

  Order find() && {
    References kept;
    for (const auto& each : all_) {
      if (each.from != each.to) kept.push_back(&each);
    }
    break_cycles(kept);
    break_self_references();
    const References order_by =
        those(kept, [&](const auto* each) { return !broken_.contains(each); });
    check_wanted(order_by);
    make_steps(order_by);
    explain_links();
    return std::move(order_);
  }

 private:
  const std::string& name(std::size_t table) const { return tables_[table].name; }

  void collect(const Table& table) {
    for (const auto& key : table.foreign_keys) {
      const auto to = number_.find(key.target);
      if (!key.same_schema || to == number_.end()) continue;
      all_.push_back({number_.at(table.name), to->second, &key, nullable_columns(table, key)});
    }
  }

  // A second pass finds its rows by the key of the table.
  static std::vector<std::string> nullable_columns(const Table& table, const ForeignKey& key) {
    std::vector<std::string> names;
    if (table.key.empty()) return names;
    for (const auto& column : key.columns) {
      const auto* found = table.find(column);
      if (found != nullptr && found->nullable && !found->generated) names.push_back(column);
    }
    return names;
  }

  void take_wanted(const std::vector<std::string>& wanted) {
    for (const auto& table : wanted) {
      if (!place_.emplace(table, place_.size()).second) {
        throw Error(Code::invalid_argument, "the order names " + quoted(table) + " twice");
      }
    }
  }

  std::size_t place(std::size_t table) const {
    const auto found = place_.find(name(table));
    return found == place_.end() ? std::numeric_limits<std::size_t>::max() : found->second;
  }

  bool before(std::size_t a, std::size_t b) const {
    return std::pair(place(a), name(a)) < std::pair(place(b), name(b));
  }

  void break_cycles(const References& references) {
    std::map<std::size_t, std::vector<std::size_t>> members;
    const auto component = components(tables_.size(), edges_of(references));
    for (std::size_t at = 0; at < tables_.size(); ++at) members[component[at]].push_back(at);
    for (const auto& [number, of_cycle] : members) {
      if (of_cycle.size() == 1) continue;
      const auto inner = those(references, [&, number = number](const auto* each) {
        return component[each->from] == number && component[each->to] == number;
      });
      break_cycle(of_cycle, inner);
    }
  }

  void break_cycle(const std::vector<std::size_t>& of_cycle, const References& inner) {
    if (break_by_null(inner)) return;
    if (!break_by_null(those(inner, not_deferrable))) {
      throw Error(Code::invalid_argument,
                  cycle_text(inner) +
                      ": these tables refer to each other, and no column there can "
                      "be NULL at first; make a constraint of them deferrable, such as " +
                      remedy(*inner.front()));
    }
    for (const std::size_t table : of_cycle) group_[table] = of_cycle.front();
    order_.explanations.push_back(cycle_text(inner) +
                                  ": no column can be NULL at first, but constraints are "
                                  "deferrable; these tables are copied in one transaction");
  }

  std::string remedy(const Reference& reference) const {
    return "ALTER TABLE " + quoted(name(reference.from)) + " ALTER CONSTRAINT " +
           quoted(reference.key->name) + " DEFERRABLE";
  }

  // Takes as few references out as it needs, for what is left to have no cycle; false where those
  // that may be NULL are not enough.
  bool break_by_null(const References& references) {
    References left = references;
    References taken;
    while (has_cycle(tables_.size(), edges_of(left))) {
      const Reference* best = best_to_break(left);
      if (best == nullptr) return false;
      left = without(left, best);
      taken.push_back(best);
    }
    for (const auto* each : References(taken)) {
      References more = left;
      more.push_back(each);
      if (has_cycle(tables_.size(), edges_of(more))) continue;
      left = std::move(more);
      std::erase(taken, each);
    }
    broken_.insert(taken.begin(), taken.end());
    return true;
  }

  // The one after which the cycles are smallest; the first by name where several are.
  const Reference* best_to_break(const References& left) const {
    const Reference* best = nullptr;
    std::size_t least = 0;
    const auto component = components(tables_.size(), edges_of(left));
    for (const auto* each : left) {
      if (each->nullable.empty() || component[each->from] != component[each->to]) continue;
      const std::size_t cost = cost_of_cycles(without(left, each));
      if (best == nullptr || std::tuple(cost, name(each->from), each->key->columns) <
                                 std::tuple(least, name(best->from), best->key->columns)) {
        best = each;
        least = cost;
      }
    }
    return best;
  }

  std::size_t cost_of_cycles(const References& references) const {
    std::vector<std::size_t> size(tables_.size(), 0);
    for (const auto number : components(tables_.size(), edges_of(references))) ++size[number];
    std::size_t cost = 0;
    for (const auto each : size) cost += each > 1 ? each * each : 0;
    return cost;
  }

  void break_self_references() {
    for (const auto& each : all_) {
      if (each.from != each.to) continue;
      if (!each.nullable.empty()) {
        broken_.insert(&each);
      } else if (deferrable(&each)) {
        explain_self(each, "but its constraint is deferrable; it is copied in one transaction");
        deferred_.insert(each.from);
      } else {
        take_whole(each);
      }
    }
    for (const auto& [table, keys] : whole_) explain_whole(keys);
  }

  void take_whole(const Reference& self) {
    const auto in_group = std::count(group_.begin(), group_.end(), group_[self.from]);
    if (in_group > 1) {
      throw Error(Code::invalid_argument,
                  quoted(name(self.from)) +
                      " refers to itself by a column that cannot be NULL, "
                      "within a cycle of tables; make its constraint deferrable: " +
                      remedy(self));
    }
    whole_[self.from].push_back(&self);
  }

  void explain_whole(const References& keys) {
    for (const auto* key : keys) {
      explain_self(*key, keys.size() == 1
                             ? "and its constraint is not deferrable; it is copied in one "
                               "transaction, parents before children"
                             : "and its constraint is not deferrable, nor is another one; all of "
                               "its rows are written at once");
    }
  }

  void explain_self(const Reference& self, const std::string& how) {
    order_.explanations.push_back(names_of(name(self.from), self.key->columns) +
                                  " refers to the same table and cannot be NULL at first, " + how);
  }

  void check_wanted(const References& order_by) const {
    std::string problems;
    for (const auto* each : order_by) {
      const bool named = place_.contains(name(each->from)) && place_.contains(name(each->to));
      if (!named || group_[each->from] == group_[each->to]) continue;
      if (place(each->from) > place(each->to)) continue;
      problems += (problems.empty() ? "" : "; ") + quoted(name(each->from)) + " comes before " +
                  quoted(name(each->to)) + ", to which " +
                  names_of(name(each->from), each->key->columns) + " refers";
    }
    if (problems.empty()) return;
    throw Error(Code::invalid_argument, "the order goes against foreign keys: " + problems);
  }

  void make_steps(const References& order_by) {
    std::vector<Edge> between;
    for (const auto* each : order_by) {
      const Edge edge{group_[each->from], group_[each->to]};
      if (edge.from != edge.to) between.push_back(edge);
    }
    const auto rule = [&](std::size_t a, std::size_t b) { return before(first(a), first(b)); };
    for (const std::size_t at : topological(tables_.size(), between, rule)) {
      if (group_[at] != at) continue;
      order_.steps.push_back(step_of(at, order_by));
    }
  }

  // The table of a group that decides when it is copied.
  std::size_t first(std::size_t group) const {
    std::size_t best = group;
    for (std::size_t at = 0; at < tables_.size(); ++at) {
      if (group_[at] == group && before(at, best)) best = at;
    }
    return best;
  }

  Step step_of(std::size_t group, const References& order_by) const {
    const auto inner = edges_of(those(order_by, [&](const auto* each) {
      return group_[each->from] == group && group_[each->to] == group && not_deferrable(each);
    }));
    Step step;
    for (const std::size_t at :
         topological(tables_.size(), inner, [&](auto a, auto b) { return before(a, b); })) {
      if (group_[at] == group) step.tables.push_back(name(at));
    }
    if (const auto found = whole_.find(group); found != whole_.end()) {
      step.whole = true;
      if (found->second.size() == 1) step.parents_first = *found->second.front()->key;
    }
    step.group = step.tables.size() > 1 || step.whole || deferred_.contains(group);
    return step;
  }

  void explain_links() {
    for (const auto& each : all_) {
      if (!broken_.contains(&each)) continue;
      order_.links.push_back({name(each.from), each.nullable, name(each.to)});
      order_.explanations.push_back(
          names_of(name(each.from), each.nullable) + " -> " + name(each.to) +
          (each.from == each.to ? " refers to the same table" : " closes a cycle") +
          ": it is NULL at first and set in a second pass");
    }
  }

  // "a -> b -> a"
  std::string cycle_text(const References& inner) const {
    std::vector<std::size_t> path = {inner.front()->from};
    for (;;) {
      const auto next = std::find_if(inner.begin(), inner.end(),
                                     [&](const auto* each) { return each->from == path.back(); });
      const bool closed = std::find(path.begin(), path.end(), (*next)->to) != path.end();
      path.push_back((*next)->to);
      if (!closed) continue;
      std::string text;
      for (auto at = std::find(path.begin(), path.end(), path.back()); at != path.end(); ++at) {
        text += (text.empty() ? "" : " -> ") + name(*at);
      }
      return text;
    }
  }

  const std::vector<Table>& tables_;
  std::map<std::string, std::size_t> number_;
  std::map<std::string, std::size_t> place_;
  std::vector<Reference> all_;
  std::vector<std::size_t> group_;  // the smallest number of the tables of the group
  std::set<const Reference*> broken_;
  std::set<std::size_t> deferred_;
  std::map<std::size_t, References> whole_;  // tables, and what makes them so
  Order order_;
};

}  // namespace

Order order_tables(const std::vector<Table>& tables, const std::vector<std::string>& wanted) {
  return Ordering(tables, wanted).find();
}

}  // namespace threadkeep::migration
