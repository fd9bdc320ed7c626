// SPDX-License-Identifier: Apache-2.0
#include "postgres/settings.hpp"

#include <gtest/gtest.h>

#include "postgres/hosts.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using postgres::Keywords;
using postgres::Prepare;

std::string refusal(const std::string& url) {
  const auto error = error_of([&] { settings_of(url); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  return error.what();
}

struct Good {
  std::string url;
  Keywords expected;
};

class PostgresUrls : public ::testing::TestWithParam<Good> {};

TEST_P(PostgresUrls, say_what_libpq_is_told) {
  const auto settings = settings_of(GetParam().url);
  for (const auto& [keyword, value] : GetParam().expected) {
    EXPECT_EQ(postgres::value_of(settings.connection, keyword), value) << keyword;
  }
  EXPECT_EQ(settings.connection.size(), GetParam().expected.size());
}

INSTANTIATE_TEST_SUITE_P(
    , PostgresUrls,
    ::testing::Values(
        Good{"postgres://", {}}, Good{"postgresql://", {}}, Good{"postgresql:///", {}},
        Good{"postgresql://h", {{"host", "h"}}},
        Good{"postgresql://u@h/db", {{"user", "u"}, {"host", "h"}, {"dbname", "db"}}},
        Good{"postgresql://u:p%40%2F@h:7/d%2Fb%20x",
             {{"user", "u"},
              {"password", "p@/"},
              {"host", "h"},
              {"port", "7"},
              {"dbname", "d/b x"}}},
        Good{"postgresql://h1:1,h2:2/db", {{"host", "h1,h2"}, {"port", "1,2"}, {"dbname", "db"}}},
        Good{"postgresql://h1,h2:2", {{"host", "h1,h2"}, {"port", ",2"}}},
        Good{"postgresql://[::1]:7,[2001:db8::1]", {{"host", "::1,2001:db8::1"}, {"port", "7,"}}},
        Good{"postgresql://%2Fvar%2Frun/db", {{"host", "/var/run"}, {"dbname", "db"}}},
        Good{"postgresql:///db?host=/var/run&port=7",
             {{"host", "/var/run"}, {"port", "7"}, {"dbname", "db"}}},
        Good{"postgresql://ignored/db?host=h", {{"host", "h"}, {"dbname", "db"}}},
        Good{"postgresql://h?sslmode=verify-full&sslrootcert=/a%20b",
             {{"host", "h"}, {"sslmode", "verify-full"}, {"sslrootcert", "/a b"}}},
        Good{"postgresql://h?ssl=true", {{"host", "h"}, {"sslmode", "require"}}},
        Good{"postgresql://h1,h2?target_session_attrs=prefer-standby&load_balance_hosts=random",
             {{"host", "h1,h2"},
              {"port", ","},
              {"target_session_attrs", "prefer-standby"},
              {"load_balance_hosts", "random"}}},
        Good{"postgresql://?service=store&passfile=/p", {{"service", "store"}, {"passfile", "/p"}}},
        Good{"postgresql://h?client_encoding=UTF8", {{"host", "h"}}},
        Good{"postgresql://h?connect_timeout=3&keepalives_idle=5&tcp_user_timeout=9",
             {{"host", "h"}, {"keepalives_idle", "5"}, {"tcp_user_timeout", "9"}}}));

TEST(PostgresSettings, have_defaults) {
  const auto settings = settings_of("postgresql://h");
  EXPECT_EQ(settings.pool_size, 10U);
  EXPECT_EQ(settings.pool_wait, 5s);
  EXPECT_EQ(settings.pool_idle_check, 30s);
  EXPECT_EQ(settings.pool_max_lifetime, 30min);
  EXPECT_EQ(settings.connect_timeout, 10s);
  EXPECT_EQ(settings.prepare, Prepare::automatic);
  EXPECT_FALSE(settings.schema);
  EXPECT_FALSE(settings.direct);
}

TEST(PostgresSettings, are_taken_from_the_url) {
  const auto settings = settings_of(
      "postgresql://u:canary@h/db?schema=a%20%22b&pool_size=1000&pool_wait=1ms&pool_idle_check=0s&"
      "pool_max_lifetime=2h&connect_timeout=3&prepare=never&"
      "direct_url=postgres%3A//u%3Ap%252F@d%3A7/db%3Fsslmode%3Drequire");
  EXPECT_EQ(settings.schema, "a \"b");
  EXPECT_EQ(settings.pool_size, 1000U);
  EXPECT_EQ(settings.pool_wait, 1ms);
  EXPECT_EQ(settings.pool_idle_check, 0s);
  EXPECT_EQ(settings.pool_max_lifetime, 2h);
  EXPECT_EQ(settings.connect_timeout, 3s);
  EXPECT_EQ(settings.prepare, Prepare::never);
  ASSERT_TRUE(settings.direct);
  EXPECT_EQ(*settings.direct, (Keywords{{"user", "u"},
                                        {"password", "p/"},
                                        {"dbname", "db"},
                                        {"host", "d"},
                                        {"port", "7"},
                                        {"sslmode", "require"}}));
  EXPECT_EQ(settings.place, "postgresql://u@h:5432/db?schema=a \"b");
  const auto setup = postgres::for_setup(settings);
  EXPECT_EQ(setup.connection, *settings.direct);
  EXPECT_EQ(setup.place, "postgresql://u@d:7/db?schema=a \"b");
  EXPECT_EQ(setup.schema, settings.schema);
  EXPECT_EQ(postgres::for_setup(settings_of("postgresql://h")).place,
            settings_of("postgresql://h").place);
}

struct Bad {
  std::string url;
  std::string part;
};

class PostgresBadUrls : public ::testing::TestWithParam<Bad> {};

TEST_P(PostgresBadUrls, are_refused_and_show_no_password) {
  const auto message = refusal(GetParam().url);
  EXPECT_TRUE(contains(message, GetParam().part)) << message;
  EXPECT_FALSE(contains(message, "canary")) << message;
}

INSTANTIATE_TEST_SUITE_P(
    , PostgresBadUrls,
    ::testing::Values(
        Bad{"postgres:db", "must begin with postgres://"},
        Bad{"postgresql://u:canary@h:x/db", "port"}, Bad{"postgresql://u:canary@h:0/db", "65535"},
        Bad{"postgresql://u:canary@h:65536/db", "65535"},
        Bad{"postgresql://u:canary@[::1/db", "IPv6"},
        Bad{"postgresql://u:canary@[::1]x/db", "unexpected character"},
        Bad{"postgresql://u:can@ary:canary@h", "%40"}, Bad{"postgresql://u:canary/x@h/db", "%2F"},
        Bad{"postgresql://u:x?canary@h/db", "%3F"},
        Bad{"postgresql://h1,h2,h3:1,h4:2?port=1,2", "one for each host"},
        Bad{"postgresql://h1,h2?hostaddr=127.0.0.1", "equally many"},
        Bad{"postgresql://u:canary@h?sslmode=maybe", "verify-full"},
        Bad{"postgresql://u:canary@h?target_session_attrs=master", "read-write"},
        Bad{"postgresql://u:canary@h?load_balance_hosts=yes", "random"},
        Bad{"postgresql://h?password=canary&x=1", "unknown parameter 'x'"},
        Bad{"postgresql://h?sslpassword=canary&x=1", "sslpassword=***"},
        Bad{"postgresql://h?client_encoding=LATIN1", "always UTF8"},
        Bad{"postgresql://h?replication=database", "unknown parameter 'replication'"},
        Bad{"postgresql://h?ssl=false", "'ssl'"},
        Bad{"postgresql://h?connect_timeout=3s", "number of seconds"},
        Bad{"postgresql://h?connect_timeout=86401", "number of seconds"},
        Bad{"postgresql://h?pool_size=0", "1 to 1000"},
        Bad{"postgresql://h?pool_size=1001", "1000"}, Bad{"postgresql://h?pool_size=two", "1000"},
        Bad{"postgresql://h?pool_wait=5", "duration"},
        Bad{"postgresql://h?pool_idle_check=5", "duration"},
        Bad{"postgresql://h?pool_max_lifetime=x", "duration"},
        Bad{"postgresql://h?prepare=sometimes", "never"},
        Bad{"postgresql://h?schema=" + std::string(64, 's'), "63 bytes"},
        Bad{"postgresql://h?schema=pg_own", "pg_"},
        Bad{"postgresql://h?direct_url=postgres%3A//u%3Acanary@h%3Fx%3D1", "unknown parameter 'x'"},
        Bad{"postgresql://h?direct_url=postgres%3A//u%3Acan/canary@h", "direct_url"},
        Bad{"postgresql://h?direct_url=sqlite%3Aa.db", "must begin with postgresql://"},
        Bad{"postgresql://h?direct_url=host%3Dh%20password%3Dcanary", "direct_url"},
        Bad{"postgresql://h?direct_url=postgres%3A//h%3Fschema%3Ds", "unknown parameter 'schema'"},
        Bad{"postgresql://h?x=1&direct_url=postgres%3A//u%3Acanary@h", "unknown parameter 'x'"}));

TEST(PostgresSettings, report_all_problems_at_once) {
  const auto message = refusal(
      "postgresql://u:canary@h:0?pool_size=0&schema=pg_x&prepare=x&sslmode=x&bogus=1&"
      "direct_url=postgres%3A//u%3Acanary@h%3A0");
  for (const auto* part :
       {"port", "pool_size", "schema", "prepare", "sslmode", "bogus", "direct_url"}) {
    EXPECT_TRUE(contains(message, part)) << part << " is missing in " << message;
  }
  EXPECT_FALSE(contains(message, "canary")) << message;
}

TEST(PostgresSettings, know_a_parameter_for_everything_that_libpq_knows) {
  const auto message = refusal("postgresql://h?bogus=1");
  for (const auto* part : {"sslmode", "passfile", "service", "options", "application_name",
                           "hostaddr", "keepalives", "tcp_user_timeout", "channel_binding",
                           "gssencmode", "requirepeer", "schema", "pool_size", "direct_url"}) {
    EXPECT_TRUE(contains(message, part)) << part << " is missing in " << message;
  }
}

TEST(PostgresSettings, leave_to_the_environment_what_the_url_does_not_say) {
  const Variable host("PGHOST", "h1,h2");
  const Variable port("PGPORT", "7,8");
  const Variable user("PGUSER", "me");
  const Variable database("PGDATABASE", "mine");
  const Variable password("PGPASSWORD", "canary");
  const Variable timeout("PGCONNECT_TIMEOUT", "4");
  const auto settings = settings_of("postgresql://");
  EXPECT_TRUE(settings.connection.empty());
  EXPECT_EQ(settings.place, "postgresql://me@h1,h2:7,8/mine");
  EXPECT_EQ(settings.connect_timeout, 4s);
  const auto hosts = postgres::hosts_of(postgres::with_defaults(settings.connection));
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[1].name, "h2");
  EXPECT_EQ(hosts[1].port, "8");
}

TEST(PostgresHosts, are_what_the_lists_say) {
  const auto hosts = postgres::hosts_of(
      settings_of("postgresql://h1,h2/db?hostaddr=127.0.0.1,127.0.0.2&port=7").connection);
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[0].name, "h1");
  EXPECT_EQ(hosts[1].address, "127.0.0.2");
  EXPECT_EQ(hosts[1].port, "7");
  EXPECT_EQ(postgres::hosts_of(settings_of("postgresql://h1,h2:7").connection)[0].port, "5432");
  EXPECT_EQ(error_of([] { postgres::hosts_of({{"host", "h1,"}}); }).code(), Code::invalid_argument);
  const auto left_to_libpq = postgres::hosts_of({{"service", "s"}});
  ASSERT_EQ(left_to_libpq.size(), 1U);
  EXPECT_EQ(left_to_libpq[0].name + left_to_libpq[0].port, "");
  EXPECT_EQ(error_of([] {
              postgres::hosts_of({{"host", "h1,h2,h3"}, {"hostaddr", "1,2"}});
            }).code(),
            Code::invalid_argument);
}

TEST(PostgresHosts, are_shuffled_when_that_is_asked_for) {
  std::string all = "h0";
  for (int i = 1; i < 20; ++i) all += ",h" + std::to_string(i);
  const auto order = [&](const Keywords& keywords) {
    std::string out;
    for (const auto& host : postgres::hosts_of(keywords))
      out += (out.empty() ? "" : ",") + host.name;
    return out;
  };
  EXPECT_EQ(order({{"host", all}}), all);
  const auto shuffled = order({{"host", all}, {"load_balance_hosts", "random"}});
  EXPECT_NE(shuffled, all);
  EXPECT_EQ(shuffled.size(), all.size());
}

TEST(PostgresHosts, are_looked_up_once_for_each_of_their_addresses) {
  postgres::Waiter waiter;
  const auto local = postgres::resolve({"localhost", "", "7"}, waiter, Deadline());
  ASSERT_FALSE(local.empty());
  EXPECT_EQ(local[0].name, "localhost");
  EXPECT_TRUE(local[0].address == "127.0.0.1" || local[0].address == "::1") << local[0].address;
  EXPECT_EQ(local[0].port, "7");
  EXPECT_EQ(postgres::resolve({"127.0.0.1", "", ""}, waiter, Deadline())[0].address, "127.0.0.1");
  EXPECT_EQ(postgres::resolve({"/var/run", "", ""}, waiter, Deadline())[0].address, "");
  EXPECT_EQ(postgres::resolve({"h", "127.0.0.9", ""}, waiter, Deadline())[0].address, "127.0.0.9");
  EXPECT_EQ(error_of([&] {
              postgres::resolve({"no-such-host.invalid", "", ""}, waiter, Deadline());
            }).code(),
            Code::unavailable);
}

}  // namespace
}  // namespace threadkeep::postgres_test
