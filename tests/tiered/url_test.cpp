// SPDX-License-Identifier: Apache-2.0
// URLs of tiered stores.
#include "threadkeep/url.hpp"

#include "threadkeep/testing/postgres_server.hpp"
#include "tiered_fixture.hpp"

namespace threadkeep::tiered_test {
namespace {

std::string encoded(const std::string& url) {
  std::string text;
  for (const char c : url) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      text += c;
    } else {
      const char* digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      text += {'%', digits[byte / 16], digits[byte % 16]};
    }
  }
  return text;
}

std::string problems(const std::string& url) {
  return must_fail([&] { Registry::builtin().open(url); }).what();
}

TEST(TieredUrl, is_logged_without_passwords) {
  const testing::Logged log;
  open("tiered:?hot=" + encoded("redis://:canary7f3a@127.0.0.1:1/0") +
       "&durable=" + encoded("postgresql://u:canary7f3a@127.0.0.1:1/d?retry=3"));
  const auto opened = log.of("store_opened");
  ASSERT_EQ(opened.size(), 3U) << "each part, and the whole";
  for (const LogRecord& record : opened) {
    const std::string told = record.fields.at(0).value;
    EXPECT_EQ(told.find("canary"), std::string::npos) << told;
    EXPECT_NE(told.find("127.0.0.1:1"), std::string::npos) << told;
  }
  EXPECT_EQ(opened.back().fields.at(0).value.substr(0, 8), "tiered:?");
}

TEST(TieredUrl, opens_both_stores) {
  const Schema schema;
  const auto store = Registry::builtin().open(
      "tiered:?hot=" + encoded(RedisServer::shared().unix_url("prefix=" + fresh_prefix())) +
      "&durable=" + encoded(schema.url()) + "&check=put&keep=5m&hot_timeout=100ms");
  store->setup(Call());
  apply(*store, PutCheckpoint(Draft("t", "1").value("a", "1", "x")));
  EXPECT_EQ(id_of(*store, "t"), "1");
  const Health ready = store->ping(Call());
  EXPECT_TRUE(ready.ok && !ready.degraded) << ready.detail;
  EXPECT_NE(ready.detail.find("PostgreSQL"), std::string::npos) << ready.detail;
  EXPECT_NE(ready.detail.find("; hot: "), std::string::npos) << ready.detail;
  EXPECT_EQ(store->capabilities().name, "tiered");
  EXPECT_TRUE(store->capabilities().durable);
}

std::string layered(const std::string& hot, const std::string& durable) {
  return "tiered:?hot=" + encoded(hot) + "&durable=" + encoded(durable) +
         "&try_timeout=2s&retry=3&breaker=on&fallback=memory:";
}

TEST(TieredUrl, takes_the_layers_of_every_url) {
  const auto findings =
      Registry::builtin().open_for_tools(layered("memory:", Schema().url()))->examine(Call());
  std::string text;
  for (const Finding& finding : findings) text += finding.subject + ": " + finding.text + "\n";
  for (const char* part :
       {"store: PostgreSQL", "hot store: ", "deadline: each try ends after 2000ms",
        "breaker: closed", "retry: a call has up to 3 tries"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }
  const auto wrong = problems(layered("memory:", "postgresql://h/db") + "&breaker=off&check=x");
  for (const char* part : {"'breaker' is given twice", "'check' must be one of"}) {
    EXPECT_NE(wrong.find(part), std::string::npos) << wrong;
  }
}

TEST(TieredUrl, goes_on_in_the_fallback_while_Postgres_is_away) {
  testing::PostgresServer postgres;
  const auto store = Registry::builtin().open(
      layered(RedisServer::shared().unix_url("prefix=" + fresh_prefix()), postgres.url()));
  const auto put = [&](const std::string& id, const std::string& parent) {
    apply(*store, PutCheckpoint(Draft("t", id).parent(parent).value("a", id, "value " + id)));
  };
  apply(*store, PutCheckpoint(Draft("t", "1").value("a", "1", "value 1")));
  ASSERT_EQ(id_of(*store, "t"), "1");
  postgres.stop(testing::PostgresServer::Stop::fast);
  put("2", "1");
  EXPECT_EQ(id_of(*store, "t"), "2");
  const Health away = store->ping(Call());
  EXPECT_TRUE(away.ok && away.degraded) << away.detail;
  EXPECT_NE(away.detail.find("in the fallback"), std::string::npos) << away.detail;
  postgres.start();
  EXPECT_TRUE(comes_true([&] { return !store->ping(Call()).degraded; }));
  put("3", "2");
  EXPECT_EQ(id_of(*store, "t"), "3");
  const auto durable = Registry::builtin().open(postgres.url());
  EXPECT_EQ(read(*store, "t"), read(*durable, "t"));
  CheckpointList all;
  all.thread_id = "t";
  EXPECT_EQ(durable->list(all, Call()).items.size(), 3U);
}

TEST(TieredUrl, says_all_that_is_wrong_at_once) {
  const auto text =
      problems("tiered:x?check=never&keep=5&hot_timeout=0s&durable=sqlite%3Aa.db&nosuch=1");
  for (const char* part : {"'check' must be one of: head, put", "'keep' must be a duration",
                           "'hot_timeout' must not be 0", "'hot' must be the URL of a Redis store",
                           "'durable' must be the URL of a Postgres store", "'nosuch'",
                           "write tiered:?hot=...&durable=..."}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }
}

TEST(TieredUrl, refuses_a_hot_store_that_keeps_no_copies) {
  const auto text = problems("tiered:?hot=sqlite%3Aa.db&durable=postgresql%3A%2F%2Fh%2Fdb");
  EXPECT_NE(text.find("sqlite stores keep no copies"), std::string::npos) << text;
}

TEST(TieredUrl, shows_no_password_of_its_stores) {
  const std::string url = "tiered:?hot=" + encoded("redis://:canary@h/0") +
                          "&durable=" + encoded("postgresql://u:canary@h/db?password=canary");
  EXPECT_EQ(Url::parse(url).redacted().find("canary"), std::string::npos);
  for (const auto& wrong : {url + "&nosuch=1", url + "&check=x", url + encoded("&nosuch=canary")}) {
    EXPECT_EQ(problems(wrong).find("canary"), std::string::npos) << problems(wrong);
  }
}

}  // namespace
}  // namespace threadkeep::tiered_test
