// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connection.hpp"
#include "table_session.hpp"
#include "threadkeep/table_undo.hpp"

namespace threadkeep::postgres {

/// Works on temporary tables, one for each table of the run, that say what has become of its rows.
class TableUndo final : public tables::RunUndo {
 public:
  /// Throws Error(invalid_argument) where there is no such run.
  TableUndo(std::unique_ptr<Connection> connection, std::string run_id, const Call& call);

  std::vector<std::string> logged_tables(const Call& call) override;
  tables::WrittenRows look(const tables::Table& table,
                           const std::function<void(const tables::StayingRow&)>& stays,
                           const Call& call) override;
  std::vector<tables::Referrers> referrers(const tables::Table& table, const Call& call) override;
  void unlink(const tables::Table& table, const std::vector<std::string>& columns,
              const Call& call) override;
  std::optional<std::uint64_t> remove(const tables::Table& table, std::uint64_t max_rows,
                                      const Call& call) override;
  void begin_group(const Call& call) override;
  void end_group(const Call& call) override;
  void forget(const Call& call) override;

 private:
  /// What was found of one table.
  struct Found {
    tables::Table table;
    std::string name;       ///< Of the temporary table, quoted.
    Pieces pieces;          ///< For the statements about it.
    std::int64_t last = 0;  ///< The number of the last row that was dealt with.
  };
  struct Range {
    std::int64_t after = 0;
    std::int64_t to = 0;
  };
  struct Referrer {
    tables::Referrers found;
    std::string sql;
  };

  template <class Work>
  auto undone_on_failure(Work work);
  Found& found(const std::string& table);
  Found& make_table(const tables::Table& table, const Call& call);
  void fill(const Found& found, const Call& call);
  void tell_staying(const Found& found, const std::function<void(const tables::StayingRow&)>& stays,
                    const Call& call);
  std::vector<Referrer> foreign_keys_to(const Found& found, const Call& call);
  std::vector<tables::Referrers> referrers_of(const Found& found, Range range, const Call& call);
  Result about(const Found& found, std::string_view sql, Range range, const Call& call);
  Parameters of_run(const std::string& table) const;

  std::unique_ptr<Connection> connection_;
  const std::string run_id_;
  std::map<std::string, Found> found_;
};

}  // namespace threadkeep::postgres
