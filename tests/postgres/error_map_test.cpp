// SPDX-License-Identifier: Apache-2.0
#include "postgres/error_map.hpp"

#include <gtest/gtest.h>

#include <set>

#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using postgres::connect_failure;
using postgres::sql_state;
using postgres::sql_states;
using testing::PostgresServer;

struct Expected {
  std::string state;
  Code meaning;
};

// What callers rely on, written down a second time: a change of the table must be meant.
const std::vector<Expected>& expected_rows() {
  static const std::vector<Expected> rows = {
      {"22001", Code::invalid_argument},
      {"22003", Code::invalid_argument},
      {"22007", Code::invalid_argument},
      {"22008", Code::invalid_argument},
      {"22012", Code::invalid_argument},
      {"22021", Code::invalid_argument},
      {"22023", Code::invalid_argument},
      {"22026", Code::invalid_argument},
      {"22030", Code::invalid_argument},
      {"22032", Code::invalid_argument},
      {"22P02", Code::invalid_argument},
      {"22P03", Code::internal},
      {"22P05", Code::invalid_argument},
      {"08P01", Code::unavailable},
      {"0A000", Code::unsupported},
      {"23505", Code::duplicate},
      {"25001", Code::internal},
      {"25006", Code::denied},
      {"25P02", Code::internal},
      {"25P03", Code::unavailable},
      {"25P04", Code::timeout},
      {"26000", Code::unavailable},
      {"28000", Code::denied},
      {"28P01", Code::denied},
      {"3D000", Code::invalid_argument},
      {"3F000", Code::invalid_argument},
      {"40001", Code::unavailable},
      {"40003", Code::unavailable},
      {"40P01", Code::unavailable},
      {"42501", Code::denied},
      {"42602", Code::invalid_argument},
      {"42622", Code::invalid_argument},
      {"42703", Code::corrupt},
      {"42704", Code::corrupt},
      {"42804", Code::corrupt},
      {"42883", Code::corrupt},
      {"42P01", Code::corrupt},
      {"42P05", Code::unavailable},
      {"42P07", Code::duplicate},
      {"42P10", Code::corrupt},
      {"44000", Code::denied},
      {"53100", Code::no_space},
      {"53200", Code::unavailable},
      {"53300", Code::unavailable},
      {"54000", Code::invalid_argument},
      {"54001", Code::internal},
      {"54011", Code::internal},
      {"54023", Code::internal},
      {"55006", Code::unavailable},
      {"55P03", Code::unavailable},
      {"57014", Code::timeout},
      {"57P01", Code::unavailable},
      {"57P02", Code::unavailable},
      {"57P03", Code::unavailable},
      {"57P04", Code::unavailable},
      {"57P05", Code::unavailable},
      {"58030", Code::unavailable},
      {"XX001", Code::corrupt},
      {"XX002", Code::corrupt},
      {"08", Code::unavailable},
      {"0A", Code::unsupported},
      {"22", Code::invalid_argument},
      {"23", Code::conflict},
      {"25", Code::internal},
      {"28", Code::denied},
      {"40", Code::unavailable},
      {"42", Code::internal},
      {"44", Code::denied},
      {"53", Code::unavailable},
      {"54", Code::invalid_argument},
      {"55", Code::unavailable},
      {"57", Code::unavailable},
      {"58", Code::internal},
      {"P0", Code::internal},
      {"XX", Code::internal},
  };
  return rows;
}

TEST(PostgresErrorMap, has_the_rows_that_callers_rely_on) {
  const auto rows = sql_states();
  ASSERT_EQ(rows.size(), expected_rows().size());
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].state, expected_rows()[i].state);
    EXPECT_EQ(rows[i].meaning, expected_rows()[i].meaning) << rows[i].state;
    EXPECT_TRUE(seen.insert(rows[i].state).second) << rows[i].state << " is there twice";
  }
}

TEST(PostgresErrorMap, goes_from_a_code_to_its_class) {
  EXPECT_EQ(sql_state("23505").state, "23505");
  EXPECT_EQ(sql_state("23503").state, "23");
  EXPECT_EQ(sql_state("2200F").state, "22");
  EXPECT_EQ(sql_state("ZZ999").state, "XX");
  EXPECT_EQ(sql_state("").state, "XX");
  EXPECT_EQ(sql_state("2").state, "XX");
}

TEST(PostgresErrorMap, says_no_words_of_the_server_about_values) {
  for (const auto& row : sql_states()) {
    const bool may_quote = row.state.starts_with("22") || row.state.starts_with("P0");
    EXPECT_EQ(!row.condition.empty(), may_quote) << row.state;
  }
}

TEST(PostgresErrorMap, says_what_to_do_where_a_user_can_act) {
  for (const auto& [state, part] : std::vector<std::pair<std::string, std::string>>{
           {"28P01", "password"},
           {"3D000", "create the database"},
           {"42501", "grant"},
           {"53300", "pool_size"},
           {"42P01", "threadkeep setup"},
           {"42703", "threadkeep setup"},
           {"25006", "target_session_attrs=read-write"},
           {"57P03", "starting up"},
           {"3F000", "?schema="},
           {"53100", "free space"},
           {"54000", "store a reference"}}) {
    EXPECT_TRUE(contains(std::string(sql_state(state).advice), part)) << state;
  }
}

class PostgresErrors : public ::testing::Test {
 protected:
  Connection connection{settings_of(PostgresServer::shared().url()), Call()};

  Error error(const std::string& sql) {
    return error_of([&] { connection.execute(sql, Call()); });
  }
};

// A loss of the connection apart, which leaves the outcome of execute() unknown.
TEST_F(PostgresErrors, of_every_row_come_from_a_server_as_they_stand) {
  for (const auto& [state, meaning] : expected_rows()) {
    const auto full = state.size() == 2 ? state + "ZZZ" : state;
    const auto got = error("DO $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '" + full +
                           "', DETAIL = 'canary', HINT = 'canary'; END $$");
    const bool open = full.starts_with("08") || full == "40003";
    EXPECT_EQ(got.code(), open ? Code::outcome_unknown : meaning) << full;
    EXPECT_EQ(got.native(), full);
    EXPECT_FALSE(contains(got.what(), "canary")) << got.what();
  }
}

TEST_F(PostgresErrors, show_no_value_that_was_sent_or_stored) {
  connection.execute(
      "CREATE TEMP TABLE secrets(t varchar(40) PRIMARY KEY CHECK (t <> 'canary1'), n integer); "
      "INSERT INTO secrets VALUES ('canary', 1); "
      "CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'no %', NEW.t USING ERRCODE = 'check_violation'; END $$; "
      "CREATE TRIGGER tell BEFORE UPDATE ON secrets FOR EACH ROW EXECUTE FUNCTION pg_temp.tell()",
      Call());
  for (const std::string sql :
       {"SELECT 'canary'::integer", "SELECT '{\"a\": canary'::jsonb",
        "SELECT 'canary'::timestamptz", "SELECT 'canary'::bytea || '\\xcanary'::bytea",
        "SELECT '\"canary\\u0000\"'::jsonb", "INSERT INTO secrets VALUES ('canary')",
        "INSERT INTO secrets VALUES ('canary1')",
        "INSERT INTO secrets VALUES (repeat('canary', 10))", "UPDATE secrets SET t = 'canary2'",
        "INSERT INTO secrets VALUES (null, 'canary'::text::integer)",
        "SELECT to_date('canary', 'YYYY')", "SELECT 'a' ~ '(canary'",
        "SELECT ('canary' || chr(0))"}) {
    const auto got = error(sql);
    EXPECT_FALSE(contains(got.what(), "canary")) << got.what();
    EXPECT_NE(got.native(), "") << sql;
  }
  EXPECT_TRUE(contains(error("INSERT INTO secrets VALUES ('canary')").what(), "secrets_pkey"));
}

TEST_F(PostgresErrors, say_what_the_server_said_and_what_to_do) {
  EXPECT_STREQ(error("SELECT * FROM nowhere").what(),
               "corrupt: relation \"nowhere\" does not exist; the tables are not what threadkeep "
               "expects; run: threadkeep setup (42P01)");
  const auto denied = error("SELECT * FROM pg_authid");
  EXPECT_EQ(denied.code(), Code::denied);
  EXPECT_TRUE(contains(denied.what(), "permission denied")) << denied.what();
  EXPECT_EQ(error("SET statement_timeout = 20; SELECT pg_sleep(5)").code(), Code::timeout);
}

TEST(PostgresConnectFailures, are_read_from_the_words_of_libpq) {
  const auto wrong_password = connect_failure(
      "connection to server at \"h\" (1.2.3.4), port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"u\"\nLOCATION:  auth_failed, auth.c:326\n");
  EXPECT_EQ(wrong_password.code, Code::denied);
  EXPECT_EQ(wrong_password.state, "28P01");
  EXPECT_TRUE(wrong_password.message.starts_with("password authentication failed for user \"u\"; "))
      << wrong_password.message;
  EXPECT_TRUE(wrong_password.is_final());
  // The last of several attempts counts, in any language.
  const auto starting = connect_failure(
      "connection to server failed: FATAL:  28000: first\nconnection to server failed: ВАЖНО:  "
      "57P03: das System startet:  gerade\nDETAIL:  x\n");
  EXPECT_EQ(starting.state, "57P03");
  EXPECT_TRUE(starting.message.starts_with("das System startet:  gerade; ")) << starting.message;
  EXPECT_FALSE(starting.is_final());
  const auto refused = connect_failure(
      "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server "
      "running on that host and accepting TCP/IP connections?\n");
  EXPECT_EQ(refused.code, Code::unavailable);
  EXPECT_EQ(refused.state, "");
  EXPECT_FALSE(refused.is_final());
  EXPECT_FALSE(contains(refused.message, "\n")) << refused.message;
  EXPECT_FALSE(contains(refused.message, "\t")) << refused.message;
  const auto no_file = connect_failure("root certificate file \"x\" does not exist\nProvide it.");
  EXPECT_TRUE(contains(no_file.message, "Provide it; check sslrootcert")) << no_file.message;
  EXPECT_EQ(connect_failure("").code, Code::unavailable);
  EXPECT_EQ(connect_failure(":  ").code, Code::unavailable);
  EXPECT_EQ(connect_failure("FATAL:  28P0").code, Code::unavailable);
}

}  // namespace
}  // namespace threadkeep::postgres_test
