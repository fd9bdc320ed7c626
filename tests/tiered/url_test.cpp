// SPDX-License-Identifier: Apache-2.0
// URLs of tiered stores.
#include "threadkeep/url.hpp"

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
