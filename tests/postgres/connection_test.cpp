// SPDX-License-Identifier: Apache-2.0
#include "postgres/connection.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <thread>

#include "raw_database.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;
using testing::TcpProxy;

PostgresServer& server() {
  return PostgresServer::shared();
}

// A connection to the shared server, and a second look at it.
class PostgresConnection : public ::testing::Test {
 protected:
  Settings settings = settings_of(server().url());
  Connection connection{settings, Call()};

  std::vector<Result> run(std::vector<Request> requests, Effect effect = Effect::commit) {
    return connection.run(requests, effect, call_within(5min));
  }
};

Request request(const Statement& statement, Parameters parameters = {}, bool once = false) {
  return {&statement, std::move(parameters), once};
}

template <class... Requests>
std::vector<Request> requests(Requests&&... each) {
  std::vector<Request> list;
  (list.push_back(std::forward<Requests>(each)), ...);
  return list;
}

TEST_F(PostgresConnection, carries_values_of_all_types_both_ways) {
  const Statement statement(
      "SELECT $1::text, $2::jsonb, $3::bytea, $4::integer, $5::bigint, $6::boolean, "
      "$7::timestamptz, array_to_string($8::text[], '|'), array_to_string($9::bigint[], '|'), "
      "$10::text, $11::json, $12::smallint, extract(epoch FROM $7::timestamptz)::text");
  const std::string text = "h\u00e9 'quoted' \\ ";
  const std::string json = R"({"a": [1, "zwei", null]})";
  const Bytes bytes = Bytes::copy(std::string("\0\xff\x01", 3));
  const std::vector<std::string> texts = {"a", "", "c,\"}"};
  const std::vector<std::int64_t> numbers = {1, -2, std::numeric_limits<std::int64_t>::min()};
  Parameters parameters;
  parameters.text(text).json(json).bytes(bytes).integer(-7).bigint(-(std::int64_t{1} << 60));
  parameters.boolean(true).timestamp(1'700'000'000'123'456).text_array(texts);
  parameters.bigint_array(numbers).null().json(json).null();
  const auto result = connection.run(statement, std::move(parameters), Effect::none, Call());
  ASSERT_EQ(result.size(), 1U);
  EXPECT_EQ(result.text(0, 0), text);
  EXPECT_EQ(result.json(0, 1), json);
  EXPECT_EQ(result.bytes(0, 2), bytes);
  EXPECT_EQ(result.integer(0, 3), -7);
  EXPECT_EQ(result.integer(0, 4), -(std::int64_t{1} << 60));
  EXPECT_TRUE(result.boolean(0, 5));
  EXPECT_EQ(result.timestamp(0, 6), 1'700'000'000'123'456);
  EXPECT_EQ(result.text(0, 7), "a||c,\"}");
  EXPECT_EQ(result.text(0, 8), "1|-2|-9223372036854775808");
  EXPECT_EQ(result.optional_text(0, 9), std::nullopt);
  EXPECT_EQ(result.json(0, 10), json);
  EXPECT_TRUE(result.is_null(0, 11));
  EXPECT_EQ(result.text(0, 12), "1700000000.123456");
}

TEST_F(PostgresConnection, carries_empty_values) {
  const Statement statement("SELECT $1::text, $2::bytea, $3::text[], $4::bigint[], $5::text");
  Parameters parameters;
  parameters.text(std::string_view()).bytes(Bytes()).text_array({}).bigint_array({});
  parameters.text(std::optional<std::string>());
  const auto result = connection.run(statement, std::move(parameters), Effect::none, Call());
  EXPECT_FALSE(result.is_null(0, 0));
  EXPECT_EQ(result.text(0, 0), "");
  EXPECT_FALSE(result.is_null(0, 1));
  EXPECT_TRUE(result.bytes(0, 1).empty());
  EXPECT_FALSE(result.is_null(0, 2));
  EXPECT_FALSE(result.is_null(0, 3));
  EXPECT_TRUE(result.is_null(0, 4));
}

TEST_F(PostgresConnection, gives_bytes_that_outlive_the_result) {
  std::optional<Bytes> bytes;
  {
    const Statement statement("SELECT repeat('x', 100000)::bytea");
    bytes = connection.run(statement, {}, Effect::none, Call()).bytes(0, 0);
  }
  EXPECT_EQ(bytes->view(), std::string(100'000, 'x'));
}

TEST_F(PostgresConnection, does_not_read_a_type_as_another) {
  const Statement statement(
      "SELECT 'x'::text, 1::integer, true, now(), '\\x00'::bytea, '{}'::jsonb");
  const auto result = connection.run(statement, {}, Effect::none, Call());
  for (const auto& wrong : std::vector<std::function<void()>>{
           [&] { result.integer(0, 0); }, [&] { result.text(0, 1); }, [&] { result.integer(0, 2); },
           [&] { result.integer(0, 3); }, [&] { result.timestamp(0, 1); },
           [&] { result.boolean(0, 1); }, [&] { result.json(0, 0); }, [&] { result.bytes(0, 0); },
           [&] { result.text(0, 5); }}) {
    EXPECT_EQ(error_of(wrong).code(), Code::internal);
  }
}

TEST_F(PostgresConnection, tells_how_many_rows_a_statement_changed) {
  const Statement create("CREATE TEMP TABLE numbers(n integer PRIMARY KEY)");
  const Statement insert("INSERT INTO numbers SELECT generate_series(1, 5) RETURNING n");
  const Statement update("UPDATE numbers SET n = n + 10 WHERE n > 3");
  const Statement select("SELECT n FROM numbers");
  const Statement remove("DELETE FROM numbers WHERE n = 99");
  const auto results = run(requests(request(create), request(insert), request(update),
                                    request(select), request(remove)));
  ASSERT_EQ(results.size(), 5U);
  EXPECT_EQ(results[0].affected(), 0U);
  EXPECT_EQ(results[1].affected(), 5U);
  EXPECT_EQ(results[1].size(), 5U);
  EXPECT_EQ(results[2].affected(), 2U);
  EXPECT_EQ(results[3].affected(), 0U);
  EXPECT_EQ(results[3].size(), 5U);
  EXPECT_EQ(results[4].affected(), 0U);
}

TEST_F(PostgresConnection, sets_its_session_up_once) {
  EXPECT_FALSE(connection.pooled());
  EXPECT_EQ(connection.schema(), "public");
  EXPECT_EQ(connection.server_version() / 10000, server().version());
  EXPECT_EQ(ask(connection, "SELECT current_setting('plan_cache_mode')"), "force_generic_plan");
  EXPECT_EQ(ask(connection, "SELECT current_setting('jit')"), "off");
  EXPECT_EQ(ask(connection, "SELECT current_setting('client_connection_check_interval')"), "2s");
  EXPECT_EQ(ask(connection, "SELECT current_setting('idle_in_transaction_session_timeout')"),
            "1min");
  EXPECT_EQ(ask(connection, "SELECT current_setting('client_encoding')"), "UTF8");
  EXPECT_EQ(ask(connection, "SELECT current_setting('application_name')"), "threadkeep");
}

TEST_F(PostgresConnection, leaves_settings_of_the_user_alone) {
  const auto url = server().url() +
                   "?options=-c%20idle_in_transaction_session_timeout%3D5s%20-c%20plan_cache_mode"
                   "%3Dforce_custom_plan&application_name=agents&schema=elsewhere";
  Connection own(settings_of(url), Call());
  EXPECT_EQ(ask(own, "SELECT current_setting('idle_in_transaction_session_timeout')"), "5s");
  EXPECT_EQ(ask(own, "SELECT current_setting('plan_cache_mode')"), "force_custom_plan");
  EXPECT_EQ(ask(own, "SELECT current_setting('application_name')"), "agents");
  EXPECT_EQ(own.schema(), "elsewhere");
}

TEST_F(PostgresConnection, prepares_a_statement_once) {
  const Statement statement("SELECT $1::integer + 1");
  for (int i = 0; i < 3; ++i) {
    Parameters parameters;
    parameters.integer(i);
    EXPECT_EQ(connection.run(statement, std::move(parameters), Effect::none, Call()).integer(0, 0),
              i + 1);
  }
  EXPECT_EQ(ask(connection, "SELECT count(*)::text FROM pg_prepared_statements WHERE name = '" +
                                statement.name() + "'"),
            "1");
}

TEST_F(PostgresConnection, prepares_nothing_that_runs_once_or_when_told_so) {
  const Statement once("SELECT 17");
  run(requests(request(once, {}, true)), Effect::none);
  const Statement count("SELECT count(*) FROM pg_prepared_statements");
  EXPECT_EQ(run(requests(request(count, {}, true)))[0].integer(0, 0), 0);
  Connection never(settings_of(server().url() + "?prepare=never"), Call());
  never.run(once, {}, Effect::none, Call());
  EXPECT_EQ(never.run(count, {}, Effect::none, Call()).integer(0, 0), 0);
}

TEST_F(PostgresConnection, makes_the_statements_of_one_run_one_transaction) {
  RawDatabase look(server().url());
  look.run("DROP TABLE IF EXISTS together; CREATE TABLE together(n integer PRIMARY KEY)");
  const Statement insert("INSERT INTO together VALUES ($1::integer)");
  const auto row = [&](int n) {
    Parameters parameters;
    parameters.integer(n);
    return request(insert, std::move(parameters));
  };
  const auto error = error_of([&] { run(requests(row(1), row(2), row(1), row(3))); });
  EXPECT_EQ(error.code(), Code::duplicate);
  EXPECT_EQ(error.native(), "23505");
  EXPECT_FALSE(connection.broken());
  EXPECT_FALSE(connection.in_transaction());
  EXPECT_EQ(look.value("SELECT count(*) FROM together"), "0");
  run(requests(row(1), row(2)));
  EXPECT_EQ(look.value("SELECT count(*) FROM together"), "2");
}

TEST_F(PostgresConnection, knows_which_statements_were_prepared_when_a_run_fails) {
  const Statement good("SELECT 1");
  const Statement wrong("SELECT 1 / $1::integer");
  const Statement later("SELECT 2");
  for (int i = 0; i < 3; ++i) {
    Parameters zero;
    zero.integer(0);
    const auto error = error_of(
        [&] { run(requests(request(good), request(wrong, std::move(zero)), request(later))); });
    EXPECT_EQ(error.native(), "22012") << error.what();
  }
  EXPECT_EQ(run(requests(request(later), request(good))).size(), 2U);
  const Statement misspelt("SELEKT 1");
  for (int i = 0; i < 2; ++i) {
    const auto error = error_of([&] { run(requests(request(good), request(misspelt))); });
    EXPECT_EQ(error.native(), "42601") << error.what();
  }
  EXPECT_EQ(run(requests(request(later))).size(), 1U);
  EXPECT_FALSE(connection.worn()) << "it had to learn it from the server";
}

TEST_F(PostgresConnection, reports_what_fails_at_the_commit) {
  RawDatabase look(server().url());
  look.run(
      "DROP TABLE IF EXISTS late; CREATE TABLE late(n integer UNIQUE DEFERRABLE INITIALLY "
      "DEFERRED)");
  const Statement insert("INSERT INTO late VALUES (1)");
  const auto error = error_of([&] { run(requests(request(insert), request(insert))); });
  EXPECT_EQ(error.native(), "23505");
  EXPECT_FALSE(connection.broken());
  EXPECT_EQ(look.value("SELECT count(*) FROM late"), "0");
  run(requests(request(insert)));
  EXPECT_EQ(look.value("SELECT count(*) FROM late"), "1");
}

TEST_F(PostgresConnection, keeps_a_transaction_over_several_runs) {
  RawDatabase look(server().url());
  look.run("DROP TABLE IF EXISTS held; CREATE TABLE held(n integer)");
  const Statement begin("BEGIN"), insert("INSERT INTO held VALUES (1)"), commit("COMMIT"),
      rollback("ROLLBACK"), wrong("SELECT 1 / 0");
  run(requests(request(begin), request(insert)), Effect::none);
  EXPECT_TRUE(connection.in_transaction());
  EXPECT_EQ(look.value("SELECT count(*) FROM held"), "0");
  run(requests(request(commit)));
  EXPECT_FALSE(connection.in_transaction());
  EXPECT_EQ(look.value("SELECT count(*) FROM held"), "1");
  run(requests(request(begin), request(insert)), Effect::none);
  error_of([&] { run(requests(request(wrong)), Effect::none); });
  EXPECT_TRUE(connection.in_transaction());
  run(requests(request(rollback)), Effect::none);
  EXPECT_EQ(look.value("SELECT count(*) FROM held"), "1");
}

TEST_F(PostgresConnection, carries_64_MiB_both_ways_at_once) {
  constexpr std::size_t size = 64 * 1024 * 1024;
  const Statement echo("SELECT $1::bytea");
  std::string text(size, 'x');
  for (std::size_t i = 0; i < size; i += 4096) text[i] = static_cast<char>(i >> 12);
  const Bytes bytes(std::move(text));
  std::vector<Request> list;
  for (int i = 0; i < 3; ++i) {
    Parameters parameters;
    parameters.bytes(bytes);
    list.push_back(request(echo, std::move(parameters)));
  }
  const auto results = run(std::move(list), Effect::none);
  ASSERT_EQ(results.size(), 3U);
  for (const Result& result : results) EXPECT_EQ(result.bytes(0, 0), bytes);
  EXPECT_TRUE(connection.worn());
  EXPECT_FALSE(connection.broken());
}

TEST_F(PostgresConnection, carries_many_small_statements_at_once) {
  const Statement echo("SELECT $1::bytea");
  const Bytes bytes = Bytes::copy(std::string(10'000, 'y'));
  std::vector<Request> list;
  for (int i = 0; i < 3'000; ++i) {
    Parameters parameters;
    parameters.bytes(bytes);
    list.push_back(request(echo, std::move(parameters)));
  }
  EXPECT_EQ(run(std::move(list), Effect::none).size(), 3'000U);
  EXPECT_FALSE(connection.worn());
}

TEST_F(PostgresConnection, refuses_a_message_that_the_server_would_hang_up_on) {
  const Bytes bytes(std::string(std::size_t{1} << 29, 'x'));
  const Statement echo("SELECT length($1::bytea), length($2::bytea)");
  Parameters parameters;
  parameters.bytes(bytes).bytes(bytes);
  const auto error =
      error_of([&] { connection.run(echo, std::move(parameters), Effect::commit, Call()); });
  EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
  EXPECT_FALSE(connection.broken());
  EXPECT_EQ(ask(connection, "SELECT 'fine'"), "fine");
}

TEST_F(PostgresConnection, runs_texts_of_several_statements) {
  const auto result = connection.execute(
      "CREATE TEMP TABLE several(n integer); INSERT INTO several VALUES (1), (2); "
      "SELECT n FROM several ORDER BY n",
      Call());
  EXPECT_EQ(result.size(), 2U);
  EXPECT_EQ(result.text(1, 0), "2");
  const auto error = error_of([&] { connection.execute("SELECT 1; SELECT 1 / 0", Call()); });
  EXPECT_EQ(error.native(), "22012");
  EXPECT_EQ(ask(connection, "SELECT 'fine'"), "fine");
  EXPECT_EQ(connection.execute("", Call()).size(), 0U);
  error_of([&] { connection.execute("SELECT pg_sleep(5)", call_within(50ms)); });
  EXPECT_TRUE(connection.broken());
}

TEST_F(PostgresConnection, gives_a_copy_up) {
  EXPECT_EQ(error_of([&] { connection.execute("COPY (SELECT 1) TO STDOUT", Call()); }).code(),
            Code::internal);
  EXPECT_TRUE(connection.broken());
}

TEST_F(PostgresConnection, does_nothing_for_a_call_that_is_over) {
  const Statement statement("SELECT 1");
  EXPECT_EQ(error_of([&] {
              connection.run(statement, {}, Effect::commit, Call{Deadline::after(0s), {}});
            }).code(),
            Code::timeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of([&] {
              connection.run(statement, {}, Effect::commit, Call{Deadline(), stop.get_token()});
            }).code(),
            Code::cancelled);
  EXPECT_FALSE(connection.broken());
  EXPECT_EQ(ask(connection, "SELECT 'fine'"), "fine");
}

TEST_F(PostgresConnection, ends_at_the_deadline) {
  const Statement sleep("SELECT pg_sleep(10)");
  for (const auto& [effect, code] :
       {std::pair(Effect::none, Code::timeout), std::pair(Effect::commit, Code::outcome_unknown)}) {
    Connection own(settings, Call());
    std::optional<Error> error;
    const auto took = duration_of(
        [&] { error = error_of([&, e = effect] { own.run(sleep, {}, e, call_within(200ms)); }); });
    EXPECT_EQ(error->code(), code);
    EXPECT_GE(took, 200ms);
    EXPECT_LT(took, 1s);
    EXPECT_TRUE(own.broken());
    EXPECT_EQ(error_of([&] { own.run(sleep, {}, effect, Call()); }).code(), Code::unavailable);
  }
}

TEST_F(PostgresConnection, does_not_mind_a_stop_that_came_after_a_call) {
  for (int i = 0; i < 3; ++i) {
    std::stop_source stop;
    const Statement statement("SELECT 1");
    connection.run(statement, {}, Effect::none, Call{Deadline(), stop.get_token()});
    stop.request_stop();
  }
  EXPECT_EQ(ask(connection, "SELECT pg_sleep(0.05)::text"), "");
}

TEST_F(PostgresConnection, that_was_given_up_ends_at_the_server_too) {
  const Statement sleep("SELECT pg_sleep(60) AS given_up");
  {
    Connection own(settings, Call());
    error_of([&] { own.run(sleep, {}, Effect::none, call_within(200ms)); });
  }
  RawDatabase look(server().url());
  const auto end = std::chrono::steady_clock::now() + 20s;
  const std::string count =
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60) AS%'";
  while (look.value(count) != "0" && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(look.value(count), "0");
}

// What is left unsent when a call is given up must not reach the server later and commit.
TEST_F(PostgresConnection, that_is_given_up_while_it_sends_leaves_nothing_behind) {
  RawDatabase look(server().url());
  look.run("DROP TABLE IF EXISTS half; CREATE TABLE half(b bytea)");
  TcpProxy proxy(server().port());
  const Bytes bytes(std::string(32 * 1024 * 1024, 'x'));
  const Statement insert("INSERT INTO half VALUES ($1::bytea)");
  {
    Connection own(settings_of(proxy.in_front_of(server().url())), Call());
    proxy.fall_silent();
    Parameters parameters;
    parameters.bytes(bytes);
    const auto error = error_of(
        [&] { own.run(insert, std::move(parameters), Effect::commit, call_within(300ms)); });
    EXPECT_EQ(error.code(), Code::timeout) << "the end of the transaction was never sent";
    proxy.pass();
  }
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(look.value("SELECT count(*) FROM half"), "0");
}

TEST_F(PostgresConnection, that_is_lost_tells_what_may_have_been_done) {
  const Statement sleep("SELECT pg_sleep(10)");
  for (const auto& [effect, code] : {std::pair(Effect::none, Code::unavailable),
                                     std::pair(Effect::commit, Code::outcome_unknown)}) {
    TcpProxy proxy(server().port());
    Connection own(settings_of(proxy.in_front_of(server().url())), Call());
    std::jthread cutter([&] {
      std::this_thread::sleep_for(100ms);
      proxy.cut();
    });
    const auto error = error_of([&, e = effect] { own.run(sleep, {}, e, Call()); });
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_TRUE(own.broken());
  }
}

TEST_F(PostgresConnection, that_the_server_ends_says_why) {
  const Statement sleep("SELECT pg_sleep(10)");
  const auto terminate = [](Connection& own) {
    const auto pid = ask(own, "SELECT pg_backend_pid()::text");
    return std::jthread([pid] {
      std::this_thread::sleep_for(100ms);
      RawDatabase(server().superuser_url()).run("SELECT pg_terminate_backend(" + pid + ")");
    });
  };
  Connection reader(settings, Call());
  auto thread = terminate(reader);
  auto error = error_of([&] { reader.run(sleep, {}, Effect::none, Call()); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_EQ(error.native(), "57P01");
  EXPECT_TRUE(reader.broken());
  Connection writer(settings, Call());
  thread = terminate(writer);
  error = error_of([&] { writer.run(sleep, {}, Effect::commit, Call()); });
  EXPECT_EQ(error.code(), Code::outcome_unknown);
  EXPECT_EQ(error.native(), "57P01");
}

TEST_F(PostgresConnection, notices_that_it_was_ended_while_idle) {
  EXPECT_TRUE(connection.alive());
  const auto pid = ask(connection, "SELECT pg_backend_pid()::text");
  RawDatabase(server().superuser_url()).run("SELECT pg_terminate_backend(" + pid + ", 5000)");
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(connection.alive());
  EXPECT_TRUE(connection.broken());
}

TEST_F(PostgresConnection, takes_a_change_of_the_servers_settings_for_no_end) {
  const auto pid = ask(connection, "SELECT pg_backend_pid()::text");
  RawDatabase look(server().superuser_url());
  look.run("ALTER SYSTEM SET DateStyle = 'German'; ");
  look.run("SELECT pg_reload_conf()");
  std::this_thread::sleep_for(200ms);
  EXPECT_TRUE(connection.alive());
  EXPECT_EQ(ask(connection, "SELECT pg_backend_pid()::text"), pid);
  look.run("ALTER SYSTEM RESET DateStyle");
  look.run("SELECT pg_reload_conf()");
}

TEST_F(PostgresConnection, goes_on_with_statements_that_others_have_dropped) {
  const Statement statement("SELECT 3");
  connection.run(statement, {}, Effect::none, Call());
  connection.execute("DEALLOCATE ALL", Call());
  EXPECT_EQ(connection.run(statement, {}, Effect::none, Call()).integer(0, 0), 3);
  EXPECT_TRUE(connection.worn());
}

TEST_F(PostgresConnection, goes_on_with_statements_that_others_have_prepared) {
  const Statement statement("SELECT 4");
  connection.execute("PREPARE \"" + statement.name() + "\" AS SELECT 4", Call());
  EXPECT_EQ(connection.run(statement, {}, Effect::none, Call()).integer(0, 0), 4);
}

TEST_F(PostgresConnection, repeats_nothing_within_a_transaction_that_it_began) {
  const Statement begin("BEGIN"), statement("SELECT 5"), rollback("ROLLBACK");
  run(requests(request(begin), request(statement), request(rollback)));
  connection.execute("DEALLOCATE \"" + statement.name() + "\"", Call());
  const auto error =
      error_of([&] { run(requests(request(begin), request(statement)), Effect::none); });
  EXPECT_EQ(error.native(), "26000");
  EXPECT_TRUE(connection.in_transaction());
  run(requests(request(rollback)), Effect::none);
  EXPECT_EQ(run(requests(request(statement)))[0].integer(0, 0), 5);
}

TEST_F(PostgresConnection, goes_on_when_a_column_has_another_type) {
  connection.execute("CREATE TEMP TABLE changing(t text)", Call());
  const Statement statement("SELECT * FROM changing");
  connection.run(statement, {}, Effect::none, Call());
  connection.execute("ALTER TABLE changing ALTER t TYPE varchar(10)", Call());
  EXPECT_EQ(connection.run(statement, {}, Effect::none, Call()).size(), 0U);
}

TEST_F(PostgresConnection, refuses_a_database_in_another_encoding) {
  server().run("CREATE DATABASE latin1 ENCODING 'LATIN1' TEMPLATE template0", "postgres");
  const auto error = error_of([] { Connection(settings_of(server().url("latin1")), Call()); });
  EXPECT_EQ(error.code(), Code::unsupported);
  EXPECT_TRUE(contains(error.what(), "UTF8")) << error.what();
}

// The messages by which a server of that version lets anybody in (protocol 3.0).
std::string welcome_of(const std::string& version) {
  const auto number = [](std::size_t value) {
    return std::string{static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                       static_cast<char>(value >> 8), static_cast<char>(value)};
  };
  const auto message = [&](char type, const std::string& body) {
    return type + number(body.size() + 4) + body;
  };
  const std::string zero(1, '\0');
  return message('R', number(0)) + message('S', "server_version" + zero + version + zero) +
         message('K', number(1) + number(2)) + message('Z', "I");
}

// None of that age can be installed beside those of today.
TEST(PostgresOldServer, is_refused) {
  const SilentListener listener;
  std::jthread server_thread([&] {
    const int peer = accept(listener.socket(), nullptr, nullptr);
    std::array<char, 4096> startup{};
    EXPECT_GT(read(peer, startup.data(), startup.size()), 8);
    const auto welcome = welcome_of("13.9");
    EXPECT_EQ(write(peer, welcome.data(), welcome.size()), static_cast<ssize_t>(welcome.size()));
    while (read(peer, startup.data(), startup.size()) > 0) continue;
    close(peer);
  });
  const auto error = error_of([&] {
    Connection(settings_of("postgresql://u@127.0.0.1:" + listener.port() +
                           "/db?sslmode=disable&gssencmode=disable"),
               call_within(5s));
  });
  EXPECT_EQ(error.code(), Code::unsupported) << error.what();
  EXPECT_TRUE(contains(error.what(), "PostgreSQL 13; threadkeep needs 14")) << error.what();
}

TEST_F(PostgresConnection, prints_no_notices) {
  ::testing::internal::CaptureStderr();
  connection.execute("DO $$ BEGIN RAISE NOTICE 'hush'; END $$", Call());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_FALSE(connection.broken());
}

}  // namespace
}  // namespace threadkeep::postgres_test
