// SPDX-License-Identifier: Apache-2.0
#include "table_comparison.hpp"

#include <algorithm>

#include "table_rows.hpp"
#include "table_snapshot.hpp"
#include "table_sql.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Batch;
using tables::Differences;
using tables::Target;

constexpr std::size_t most_examples = 10;

// A transaction that at most writes to temporary tables.
class TemporaryWork {
 public:
  explicit TemporaryWork(Connection& connection) : connection_(connection) {
    connection_.begin_read();
  }
  ~TemporaryWork() { connection_.rollback(); }
  TemporaryWork(const TemporaryWork&) = delete;
  TemporaryWork& operator=(const TemporaryWork&) = delete;
  void commit() { connection_.commit(); }

 private:
  Connection& connection_;
};

class TableComparison : public tables::Comparison {
 public:
  TableComparison(const Settings& settings, Target target, const Call& call)
      : connection_(settings, Connection::Purpose::write, Connection::Missing::fail, call),
        target_(std::move(target)),
        parser_(connection_, target_),
        sql_(connection_, target_, parser_.formats()) {}

  void add(const Batch& batch, const Call& call) final {
    const Use use(connection_, call);
    TemporaryWork work(connection_);
    for (const std::string_view line : lines_of(batch.lines)) {
      if (const auto failure = parser_.parse(line)) {
        ++found_.missing;
        add_example("missing (not a row of the target: " + failure->message + ")");
      } else {
        compare_row();
      }
    }
    work.commit();
  }

  Differences finish(const Call& call) final {
    const Use use(connection_, call);
    count_extra();
    return found_;
  }

 protected:
  virtual void compare_row() = 0;
  virtual void count_extra() = 0;

  void add_example(std::string example) {
    if (found_.examples.size() < most_examples) found_.examples.push_back(std::move(example));
  }

  Connection connection_;
  const Target target_;
  RowParser parser_;
  const RowSql sql_;
  Differences found_;
};

class ComparisonByKey final : public TableComparison {
 public:
  ComparisonByKey(const Settings& settings, const Target& target, const Call& call)
      : TableComparison(settings, target, call) {
    std::vector<std::string> differences;
    for (const auto& column : target_.columns) {
      const auto& key = target_.table.key;
      const bool is_key = std::find(key.begin(), key.end(), column.name) != key.end();
      compared_.push_back(column.name);
      differences.push_back(is_key ? sql_.is_written_otherwise(column.name)
                                   : sql_.differs(column.name));
    }
    differences.push_back(sql_.newer());
    differences.push_back(sql_.key());
    find_ =
        "SELECT " + join(differences, ", ") + " FROM " + sql_.table() + " WHERE " + sql_.has_key();
    make_keys();
    connection_.finish();
  }

 private:
  // Columns k1, k2, ... without an affinity keep the keys as they are.
  void make_keys() {
    std::vector<std::string> names;
    for (std::size_t i = 1; i <= target_.table.key.size(); ++i) {
      names.push_back("k" + std::to_string(i));
    }
    connection_.run_script("DROP TABLE IF EXISTS temp.threadkeep_compared_keys");
    connection_.run_script(("CREATE TEMP TABLE threadkeep_compared_keys (" + join(names, ", ") +
                            ", PRIMARY KEY (" + join(names, ", ") + ")) WITHOUT ROWID")
                               .c_str());
    note_ = "INSERT OR IGNORE INTO temp.threadkeep_compared_keys VALUES (" +
            placeholders(names.size()) + ")";
  }

  void compare_row() override {
    Rows rows = connection_.query_values(find_, parser_.values());
    if (!rows.next()) {
      ++found_.missing;
      return add_example("missing (" + key_text() + ")");
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < compared_.size(); ++i) {
      if (rows.integer(static_cast<int>(i)) != 0) names.push_back(compared_[i]);
    }
    if (!names.empty()) {
      ++found_.different;
      if (rows.integer(static_cast<int>(compared_.size())) != 0) ++found_.newer;
      add_example("different (" + key_text() + "): " + join(names, ", "));
    }
    note_key(rows);
  }

  void note_key(const Rows& rows) {
    std::vector<Value> key;
    for (std::size_t i = 0; i < target_.table.key.size(); ++i) {
      key.push_back(rows.value(static_cast<int>(compared_.size() + 1 + i)));
    }
    connection_.query_values(note_, key).next();
  }

  std::string key_text() const {
    std::vector<std::string> parts;
    for (const auto& name : target_.table.key) {
      for (std::size_t i = 0; i < target_.columns.size(); ++i) {
        if (target_.columns[i].name != name) continue;
        parts.push_back(canonical_text(parser_.values()[i], target_.columns[i].kind));
      }
    }
    return join(parts, ", ");
  }

  void count_extra() override {
    std::vector<std::string> same;
    for (std::size_t i = 0; i < target_.table.key.size(); ++i) {
      // The plus takes the affinity away, with which the index of the keys could not be used.
      same.push_back("c.k" + std::to_string(i + 1) + " IS +t." +
                     quote_identifier(target_.table.key[i]) + " COLLATE BINARY");
    }
    const std::string rest = " FROM " + sql_.table() +
                             " AS t WHERE NOT EXISTS (SELECT 1 FROM "
                             "temp.threadkeep_compared_keys AS c WHERE " +
                             join(same, " AND ") + ")";
    Rows count = connection_.query("SELECT count(*)" + rest);
    count.next();
    found_.extra = static_cast<std::uint64_t>(count.integer(0));
    if (found_.extra == 0) return;
    Rows rows = connection_.query("SELECT " + sql_.key() + rest + " LIMIT 10");
    while (rows.next()) add_example("extra (" + key_text(rows) + ")");
  }

  std::string key_text(const Rows& rows) const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < target_.table.key.size(); ++i) {
      const auto* column = target_.table.find(target_.table.key[i]);
      parts.push_back(canonical_text(rows.value(static_cast<int>(i)),
                                     column ? column->kind : tables::Kind::other));
    }
    return join(parts, ", ");
  }

  std::vector<std::string> compared_;
  std::string find_;
  std::string note_;
};

// The target's rows are counted first, and each line takes one of those that equal it.
class ComparisonOfWholeRows final : public TableComparison {
 public:
  ComparisonOfWholeRows(const Settings& settings, const Target& target, const Call& call)
      : TableComparison(settings, target, call) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < target_.columns.size(); ++i) {
      names.push_back("c" + std::to_string(i));
    }
    make_table(names);
    fill_table();
    connection_.run_script(("CREATE INDEX temp.threadkeep_compared_rows_by_value ON "
                            "threadkeep_compared_rows (" +
                            join(names, ", ") + ")")
                               .c_str());
    take_ = take_sql(names);
    connection_.finish();
  }

 private:
  // With the types of the target, so that values become what they are there.
  void make_table(const std::vector<std::string>& names) {
    std::string columns;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string type = target_.table.find(target_.columns[i].name)->type;
      columns += names[i] + (type.empty() ? "" : " " + quote_identifier(type)) + ", ";
    }
    connection_.run_script("DROP TABLE IF EXISTS temp.threadkeep_compared_rows");
    connection_.run_script(
        ("CREATE TEMP TABLE threadkeep_compared_rows (" + columns + "copies INTEGER)").c_str());
  }

  void fill_table() {
    std::vector<std::string> selected;
    std::vector<std::string> grouped;
    for (const auto& column : target_.columns) {
      selected.push_back(quote_identifier(column.name));
      grouped.push_back(selected.back() + " COLLATE BINARY, typeof(" + selected.back() + ")");
    }
    connection_.execute("INSERT INTO temp.threadkeep_compared_rows SELECT " + join(selected, ", ") +
                        ", count(*) FROM " + sql_.table() + " GROUP BY " + join(grouped, ", "));
  }

  std::string take_sql(const std::vector<std::string>& names) const {
    std::vector<std::string> same;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string value = sql_.parameter(target_.columns[i].name);
      same.push_back(names[i] + " IS " + value);
      if (parser_.formats()[i].affinity == Affinity::none) {
        same.push_back("typeof(" + names[i] + ") = typeof(" + value + ")");
      }
    }
    return "UPDATE temp.threadkeep_compared_rows SET copies = copies - 1 WHERE copies > 0 AND " +
           join(same, " AND ");
  }

  void compare_row() override {
    connection_.query_values(take_, parser_.values()).next();
    if (connection_.changes() > 0) return;
    ++found_.missing;
    add_example("missing (a row of a table without a key)");
  }

  void count_extra() override {
    Rows rows = connection_.query("SELECT total(copies) FROM temp.threadkeep_compared_rows");
    rows.next();
    found_.extra = static_cast<std::uint64_t>(rows.integer(0));
    if (found_.extra > 0) add_example("extra (rows of a table without a key)");
  }

  std::string take_;
};

}  // namespace

std::unique_ptr<tables::Comparison> compare(const Settings& settings, const Target& target,
                                            const Call& call) {
  if (target.table.key.empty()) {
    return std::make_unique<ComparisonOfWholeRows>(settings, target, call);
  }
  return std::make_unique<ComparisonByKey>(settings, target, call);
}

}  // namespace threadkeep::sqlite
