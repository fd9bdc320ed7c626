// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// One transaction that only reads, on a connection of its own. Each table is one COPY TO, which
/// the server stops while nobody reads. A reader that is given up before its end takes the
/// connection with it.
class TableSnapshot final : public tables::Snapshot {
 public:
  /// Begins the transaction. Throws Error.
  TableSnapshot(std::unique_ptr<Connection> connection, const Call& call);

  std::uint64_t count(const tables::Table& table, const Call& call) override;
  std::uint64_t count_expired(const tables::Table& table, const std::string& column,
                              const Call& call) override;
  std::unique_ptr<tables::RowReader> read(const tables::Table& table, Selection selection,
                                          const Call& call) override;

 private:
  std::unique_ptr<Connection> connection_;
};

}  // namespace threadkeep::postgres
