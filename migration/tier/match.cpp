// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/match.hpp"

#include <algorithm>
#include <array>

#include "migration/tier/words.hpp"

namespace threadkeep::migration {

namespace {

using tables::Column;
using tables::Kind;
using tables::Table;

constexpr std::array<const char*, 2> guards = {"updated_at", "version"};

// Times are often kept as text. Of versions that are, 10 would come before 9.
bool is_ordered(const Column& column) {
  switch (column.kind) {
    case Kind::timestamp:
    case Kind::timestamp_with_zone:
    case Kind::date:
    case Kind::integer:
    case Kind::floating:
    case Kind::numeric:
      return true;
    case Kind::text:
      return column.name == guards.front();
    default:
      return false;
  }
}

std::set<std::string> set_of(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

class Matching {
 public:
  Matching(const Table& source, const Table& target, const std::set<std::string>& left_out,
           std::vector<Problem>& problems)
      : source_(source), target_(target), left_out_(left_out), problems_(problems) {}

  TableMatch find() && {
    match_.source = source_;
    match_.target = target_;
    for (const auto& column : source_.columns) take(column);
    for (const auto& column : target_.columns) look_for_missing(column);
    choose_key();
    choose_guard();
    choose_update();
    return std::move(match_);
  }

 private:
  std::string name(const Column& column) const { return source_.name + "." + column.name; }

  void take(const Column& column) {
    if (left_out_.contains(column.name)) return leave_out(column);
    const Column* target = target_.find(column.name);
    if (target == nullptr) return miss_in_target(column);
    if (target->generated) return;  // the target computes it
    if (column.generated) {
      match_.notes.push_back(name(column) +
                             " is computed in the source and an ordinary column of the target, "
                             "which keeps its default");
      return;
    }
    const Conversion found = conversion(column, *target);
    if (found.fit == Fit::refused) return refuse(column, *target, found);
    if (found.fit == Fit::lossy) {
      match_.notes.push_back(types(column, *target) + ", which loses " + std::string(found.note));
    }
    match_.columns.push_back({column.name, target->name, column.kind});
  }

  void leave_out(const Column& column) {
    const auto& key = source_.key;
    if (std::find(key.begin(), key.end(), column.name) == key.end()) {
      match_.notes.push_back(name(column) + " is left out, as you asked");
    } else {
      problems_.push_back({name(column) + " is part of the key and cannot be left behind",
                           "skip the whole table with --skip " + source_.name});
    }
  }

  void miss_in_target(const Column& column) {
    if (column.generated) return;
    problems_.push_back({name(column) + " has no column in the target",
                         "add it there, or leave it behind with --skip " + name(column)});
  }

  std::string types(const Column& column, const Column& target) const {
    return name(column) + " goes from " + column.type + " to " + target.type;
  }

  void refuse(const Column& column, const Column& target, const Conversion& found) {
    const std::string why = found.note.empty() ? "" : ": " + std::string(found.note);
    problems_.push_back(
        {types(column, target) + ", which cannot be converted" + why,
         "give both columns types that fit, or leave it behind with --skip " + name(column)});
  }

  bool is_matched(const std::string& target_column) const {
    return std::any_of(match_.columns.begin(), match_.columns.end(),
                       [&](const auto& pair) { return pair.target == target_column; });
  }

  // Columns that only the target has.
  void look_for_missing(const Column& column) {
    const bool in_source = source_.find(column.name) != nullptr;
    if (column.generated || is_matched(column.name)) return;
    if (!column.nullable && !column.has_default && column.identity == tables::Identity::none) {
      const std::string why = in_source ? " gets no value" : " has no column in the source";
      problems_.push_back(
          {target_.name + "." + column.name + " of the target" + why + " and may not be NULL",
           "give it a default, at least for the migration"});
    } else if (column.kind == Kind::vector && !in_source) {
      match_.null_vectors.push_back(target_.name + "." + column.name);
    }
  }

  void choose_key() {
    const auto& key = target_.key;
    if (refuse_computed(source_, "source") || refuse_computed(target_, "target")) return;
    match_.keyless = key.empty() || !std::all_of(key.begin(), key.end(), [&](const auto& column) {
                       return is_matched(column);
                     });
    if (match_.keyless || source_.key.empty() || same_key_in_source()) return;
    problems_.push_back({target_.name + " has the key " + names_of(target_.name, key) +
                             " in the target, and " + names_of(source_.name, source_.key) +
                             " in the source",
                         "give both the same primary key"});
  }

  // Rows are read in the order of their key and found by it, so it must travel with them.
  bool refuse_computed(const Table& table, const std::string& side) {
    for (const auto& column : table.key) {
      if (!table.find(column)->generated) continue;
      problems_.push_back(
          {name(*table.find(column)) + " is computed, and part of the key of the " + side,
           "make a unique key of ordinary columns there, or leave the table "
           "behind with --skip " +
               source_.name});
      return true;
    }
    return false;
  }

  bool same_key_in_source() const {
    const auto key = set_of(target_.key);
    return set_of(source_.key) == key ||
           std::any_of(source_.other_keys.begin(), source_.other_keys.end(),
                       [&](const auto& other) { return set_of(other) == key; });
  }

  void choose_guard() {
    if (match_.keyless) return;
    const Column* unordered = nullptr;
    for (const std::string name : guards) {
      const Column* column = target_.find(name);
      if (column == nullptr || !is_matched(name)) continue;
      if (is_ordered(*column)) {
        (match_.guard ? match_.second_guard : match_.guard) = name;
      } else {
        unordered = column;
      }
    }
    if (match_.guard || unordered == nullptr) return;
    match_.notes.push_back(name(*unordered) + " is " + unordered->type +
                           " and does not tell which of two rows is newer: rows of the target are "
                           "replaced whatever it says");
  }

  // An identity that is always given may be inserted and not updated.
  void choose_update() {
    if (match_.keyless) return;
    const auto key = set_of(target_.key);
    for (const auto& pair : match_.columns) {
      const Column* column = target_.find(pair.target);
      if (key.contains(pair.target)) continue;
      if (column->identity == tables::Identity::always) {
        match_.notes.push_back(name(*column) +
                               " is always generated in the target: rows that are there keep their "
                               "value, and differ where the source has another");
      } else {
        match_.update.push_back(pair.target);
      }
    }
  }

  const Table& source_;
  const Table& target_;
  const std::set<std::string>& left_out_;
  std::vector<Problem>& problems_;
  TableMatch match_;
};

}  // namespace

TableMatch match_table(const Table& source, const Table& target,
                       const std::set<std::string>& left_out, std::vector<Problem>& problems) {
  return Matching(source, target, left_out, problems).find();
}

}  // namespace threadkeep::migration
