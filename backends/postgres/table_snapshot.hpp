// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "connection.hpp"
#include "table_session.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// One transaction that only reads, on a session of its own. Each table is one COPY TO, which
/// the server stops while nobody reads. A reader that is given up before its end takes the
/// connection with it.
class TableSnapshot final : public tables::Snapshot {
 public:
  /// Begins the transaction on one of the sessions, and gives that back at its end. `moment`: that
  /// of pg_export_snapshot(); now, where it is empty. Throws Error.
  TableSnapshot(std::shared_ptr<TableSessions> sessions, const Call& call,
                const std::string& moment = {});
  ~TableSnapshot() override { sessions_->give_back(std::move(connection_)); }
  TableSnapshot(const TableSnapshot&) = delete;
  TableSnapshot& operator=(const TableSnapshot&) = delete;

  std::uint64_t count(const tables::Table& table, const Call& call) override;
  std::uint64_t count_expired(const tables::Table& table, const std::string& column,
                              const Call& call) override;
  std::uint64_t count_unnamed(const tables::Table& table, const std::vector<std::string>& columns,
                              const Call& call) override;
  std::unique_ptr<tables::RowReader> read(const tables::Table& table, Selection selection,
                                          const Call& call) override;

  std::unique_ptr<tables::Snapshot> same_moment(const Call& call) override;
  void renew(const Call& call) override;
  bool may_have_changed(const tables::Table& table, std::uint64_t rows, const Call& call) override;

  bool has_digests() const noexcept override { return true; }
  std::string value_hashes() const override;
  tables::Digest digest(const tables::Table& table, const DigestColumns& columns,
                        const tables::KeyRange& range, const Call& call) override;
  std::optional<tables::KeyValues> key_after(const tables::Table& table,
                                             const tables::KeyValues& after, std::uint64_t rows,
                                             const Call& call) override;
  tables::Cursor cursor_after(const tables::KeyValues& key) const override;

 private:
  void begin(const std::string& moment, const Call& call);

  const std::shared_ptr<TableSessions> sessions_;
  std::unique_ptr<Connection> connection_;
  std::string oldest_;  // The first transaction that may not have ended yet at the moment.
  std::string before_;  // The same of the moment before renew().
};

}  // namespace threadkeep::postgres
