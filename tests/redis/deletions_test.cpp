// SPDX-License-Identifier: Apache-2.0
// Deletions that read before they delete.
#include <gtest/gtest.h>

#include "connection.hpp"
#include "handshake.hpp"
#include "settings.hpp"
#include "support.hpp"
#include "thread_view.hpp"

namespace threadkeep::redis_test {
namespace {

TEST(Deletions, of_runs_that_end_in_the_middle_say_so) {
  const RedisServer server;
  auto store = open_store(server.url());
  for (const char* thread : {"t", "u"}) {
    store.put(Draft(thread, "1").metadata(R"({"run_id": "r"})"));
  }
  RawClient client(server);
  client.run(
      {"ACL", "SETUSER", "partly", "on", ">secret", "+@all", "%R~*", "~*:[ti]:t", "~*:[rxod]"});
  const auto at = "@127.0.0.1:" + std::to_string(server.port());
  auto partly = open_store("redis://partly:secret" + at);
  EXPECT_EQ(code_of([&] { partly.delete_runs({"r"}); }), Code::outcome_unknown);
  EXPECT_FALSE(store.get({"t", "", {}, {}}));
  EXPECT_TRUE(store.get({"u", "", {}, {}}));
  EXPECT_EQ(code_of([&] { partly.delete_runs({"r"}); }), Code::denied) << "nothing was done";
  EXPECT_EQ(store.delete_runs({"r"}).changed, 1U);
}

TEST(Deletions, that_were_prepared_for_a_thread_do_not_touch_one_that_was_made_since) {
  const RedisServer server;
  Url url = Url::parse(server.url());
  const redis::Settings settings = redis::read_settings(url);
  const Call call;
  redis::MasterFinder finder(settings.sentinels);
  const auto connection = redis::open_connection(settings, finder, call);
  redis::Writer writer(*connection, settings, 1, call);
  auto store = open_store(server.url());
  store.put(Draft("t", "1").value("a", "1", "x"));
  const auto view = redis::view_thread(writer, "t");
  // As when it expires.
  RawClient(server).run(
      {"DEL", redis::Keys("threadkeep", "t").thread, redis::Keys("threadkeep", "t").index});
  store.put(Draft("t", "1").value("a", "1", "y"));
  redis::Erasure erasure;
  erasure.add_checkpoint("", "1");
  EXPECT_THROW(redis::erase(writer, "t", *view, erasure), redis::Changed);
  EXPECT_TRUE(store.get({"t", "", {}, {}}));
}

}  // namespace
}  // namespace threadkeep::redis_test
