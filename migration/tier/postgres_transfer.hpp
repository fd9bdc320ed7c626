// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "threadkeep/sql_host.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::migration {

/// The TransferHost of a store in Postgres, by SQL.
class PostgresTransfer final : public TransferHost {
 public:
  /// It must outlive this.
  explicit PostgresTransfer(SqlHost& sql) : sql_(sql) {}

  std::vector<ThreadNotes> notes(const std::vector<std::string>& thread_ids,
                                 const Call& call) override;
  void change(const std::vector<ThreadNotesChange>& changes, const Call& call) override;
  Page<std::string> unlisted(const std::string& cursor, std::size_t limit,
                             const Call& call) override;
  Page<std::string> scopes(const std::string& cursor, std::size_t limit, const Call& call) override;

 private:
  std::vector<SqlHost::Row> query(std::string_view with_retention, std::string_view without,
                                  std::span<const std::string> parameters, const Call& call);
  Page<std::string> names(std::string_view with_retention, std::string_view without,
                          const std::string& cursor, std::size_t limit, const Call& call);

  SqlHost& sql_;
};

}  // namespace threadkeep::migration
