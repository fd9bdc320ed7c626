// SPDX-License-Identifier: Apache-2.0
// Rows of a page that do not fit together: a network may change any byte of them.
#include "postgres/checkpoint_rows.hpp"

#include <gtest/gtest.h>

#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

class CheckpointRows : public ::testing::Test {
 protected:
  static std::string row(int kind, int item, const std::string& items = "") {
    return "(" + std::to_string(kind) + ", " + std::to_string(item) + ", 'id', 'x', 'y', '" +
           items + "', 1, ''::bytea, '{}'::jsonb, '{}'::jsonb)";
  }

  postgres::CheckpointRows read(const std::string& rows) {
    const Statement statement("VALUES " + rows);
    return postgres::read_checkpoints(connection_.run(statement, {}, Effect::none, Call()));
  }

  Code refusal(const std::string& rows) {
    return error_of([&] { read(rows); }).code();
  }

  Connection connection_{settings_of(testing::PostgresServer::shared().url("postgres")), Call()};
};

TEST_F(CheckpointRows, are_read_in_any_order) {
  const auto read_rows =
      read(row(0, 2) + "," + row(0, 1) + "," + row(1, 1, "1,2,9") + "," + row(2, 2));
  ASSERT_EQ(read_rows.tuples.size(), 2u);
  EXPECT_EQ(read_rows.tuples[0].values.size(), 1u);
  EXPECT_EQ(read_rows.tuples[1].values.size(), 1u);
  EXPECT_EQ(read_rows.tuples[1].writes.size(), 1u);
}

TEST_F(CheckpointRows, take_no_place_that_no_page_has) {
  for (const int item : {0, -1, 2, 2'000'000'000}) {
    EXPECT_EQ(refusal(row(0, item)), Code::corrupt) << item;
  }
}

TEST_F(CheckpointRows, give_a_write_to_no_checkpoint_that_is_not_there) {
  EXPECT_EQ(refusal(row(2, 1)), Code::corrupt);
  for (const int item : {0, -1, 2}) {
    EXPECT_EQ(refusal(row(0, 1) + "," + row(2, item)), Code::corrupt) << item;
  }
}

TEST_F(CheckpointRows, give_a_value_to_no_place_that_is_not_a_number) {
  for (const char* items : {"0", "1,,2", "x", "-1", "1,x", "99999999999999999999"}) {
    EXPECT_EQ(refusal(row(0, 1) + "," + row(1, 1, items)), Code::corrupt) << items;
  }
}

}  // namespace
}  // namespace threadkeep::postgres_test
