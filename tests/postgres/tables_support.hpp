// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "raw_database.hpp"
#include "threadkeep/table_store.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::postgres_test {

using tables::Batch;
using tables::Counts;
using tables::Differences;
using tables::Reject;
using tables::Table;
using tables::TableProgress;
using tables::Target;
using Rows = std::vector<std::string>;

/// Two databases of a server: rows of one are written into the other.
class TablesTest : public ::testing::Test {
 protected:
  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }

  /// Runs the same in both.
  void in_both(const std::string& sql);
  Table describe(const std::string& url, const std::string& name);
  /// How the table of the source is written into that of the target: all columns that hold values
  /// of their own, and updates of those outside the key.
  Target target_for(const std::string& name);
  /// The whole table as batches of so many rows.
  std::vector<Batch> read(const Target& wanted, std::uint64_t rows_in_batch = 10'000,
                          const tables::Cursor& from = {});
  /// Begins a run in the target if there is none.
  tables::Writer& writer();
  Counts write(const Target& wanted, const std::vector<Batch>& batches,
               std::uint64_t max_rejects = 0);
  Counts copy(const std::string& name, std::uint64_t max_rejects = 0);
  Differences compare(const Target& wanted, const std::vector<Batch>& batches);
  Differences compare(const std::string& name);

  const std::string source_url = server().url(server().create_database());
  const std::string target_url = server().url(server().create_database());
  RawDatabase source{source_url};
  RawDatabase target{target_url};
  const std::unique_ptr<tables::Database> source_database =
      tables::open_database(source_url, Call());
  const std::unique_ptr<tables::Database> target_database =
      tables::open_database(target_url, Call());
  std::vector<Reject> rejects;
  std::string run_id = "run-1";

 private:
  std::unique_ptr<tables::Writer> writer_;
};

}  // namespace threadkeep::postgres_test
