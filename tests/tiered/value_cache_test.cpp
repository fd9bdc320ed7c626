// SPDX-License-Identifier: Apache-2.0
// Caches of stores, each by itself.
#include "threadkeep/value_cache.hpp"

#include "tiered_fixture.hpp"

namespace threadkeep::tiered_test {
namespace {

using namespace std::chrono_literals;

/// The memory's clock stands still until it is set forward.
class ValueCaches : public ::testing::TestWithParam<const char*> {
 protected:
  std::string url() const {
    return GetParam() == std::string("memory")
               ? "memory:"
               : RedisServer::shared().unix_url("prefix=" + prefix_);
  }
  std::string get(std::string_view key) {
    const auto value = backend_->cache()->get(key, Call());
    return value ? std::string(value->view()) : "(none)";
  }
  void set(std::string_view key, const std::string& value, std::chrono::milliseconds keep = 1h) {
    backend_->cache()->set(key, Bytes(value), keep, Call());
  }

  const std::string prefix_ = fresh_prefix();
  std::int64_t now_ = 1'000'000;
  std::unique_ptr<Backend> backend_ =
      Registry::builtin().open(url(), {.now = [this] { return now_; }});
};

INSTANTIATE_TEST_SUITE_P(, ValueCaches, ::testing::Values("memory", "redis"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(ValueCaches, keep_the_last_value_of_a_key) {
  EXPECT_EQ(get("k"), "(none)");
  set("k", "one");
  set("k", "two");
  set("other", "");
  EXPECT_EQ(get("k"), "two");
  EXPECT_EQ(get("other"), "");
  backend_->cache()->erase("k", Call());
  backend_->cache()->erase("k", Call());
  EXPECT_EQ(get("k"), "(none)");
}

TEST_P(ValueCaches, take_any_bytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  set(bytes, bytes);
  EXPECT_EQ(get(bytes), bytes);
  const std::string large(9 << 20, 'x');
  set("large", large);
  EXPECT_EQ(get("large"), large);
}

TEST_P(ValueCaches, meet_nothing_else_of_the_store) {
  apply(*backend_, PutCheckpoint(Draft("t", "1").value("a", "1", "x")));
  for (const char* key : {"t", "}:t:t", "0}:r", "meta"}) set(key, "y");
  EXPECT_EQ(id_of(*backend_, "t"), "1");
  EXPECT_EQ(backend_->threads({}, Call()).items.size(), 1U);
  apply(*backend_, DeleteThread{"t"});
  EXPECT_EQ(get("t"), "y");
}

TEST(MemoryValueCache, lets_entries_go_when_their_time_has_come) {
  std::int64_t now = 5'000;
  const auto backend = Registry::builtin().open("memory:", {.now = [&] { return now; }});
  backend->cache()->set("k", Bytes::copy("v"), 10ms, Call());
  now += 9'999;
  EXPECT_TRUE(backend->cache()->get("k", Call()));
  now += 1;
  EXPECT_FALSE(backend->cache()->get("k", Call()));
}

TEST(MemoryValueCache, lets_those_go_that_were_used_least_of_late) {
  const auto backend = Registry::builtin().open("memory:");
  const Bytes large(std::string(std::size_t{100} << 20, 'x'));
  for (const char* key : {"a", "b"}) backend->cache()->set(key, large, 1h, Call());
  EXPECT_TRUE(backend->cache()->get("a", Call()));
  backend->cache()->set("c", large, 1h, Call());
  EXPECT_TRUE(backend->cache()->get("a", Call()));
  EXPECT_FALSE(backend->cache()->get("b", Call()));
  EXPECT_TRUE(backend->cache()->get("c", Call()));
}

TEST(RedisValueCache, lets_entries_go_by_itself) {
  const std::string prefix = fresh_prefix();
  const auto backend = Registry::builtin().open(RedisServer::shared().unix_url("prefix=" + prefix));
  backend->cache()->set("k", Bytes::copy("v"), 60s, Call());
  const auto left = std::stoll(RedisServer::shared().run({"PTTL", prefix + ":{cache}:k"}));
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 60'000);
}

}  // namespace
}  // namespace threadkeep::tiered_test
