// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_calls_cases() {}

namespace {

using Strings = std::vector<std::string>;

struct Operation {
  std::string name;
  std::function<void(Access&, const Call&)> run;
};

Operation writing(std::string name, Mutation mutation) {
  return {std::move(name),
          [mutation](Access& access, const Call& call) { access.write(mutation, call); }};
}

// Every operation; the writes would change what put_chain("t", 3) left.
std::vector<Operation> operations() {
  return {
      writing("put", Draft("t", "4").parent("3")),
      writing("put_writes", PutWrites{"t", "", "3", {pending("task", 0, "a", "x")}}),
      writing("put_thread", PutThread{"t", R"({"a": 1})"}),
      writing("delete_thread", DeleteThread{"t"}),
      writing("delete_runs", DeleteRuns{{"run"}}),
      writing("copy_thread", CopyThread{"t", "u"}),
      writing("prune", Prune{"t"}),
      {"get",
       [](Access& access, const Call& call) {
         access.get({"t", "", {}, {}}, call);
       }},
      {"list", [](Access& access, const Call& call) { access.list(of_thread("t"), call); }},
      {"history",
       [](Access& access, const Call& call) {
         access.history({"t", "", {}, {"a"}}, call);
       }},
      {"threads", [](Access& access, const Call& call) { access.threads({}, call); }},
  };
}

TEST_P(Calls, past_their_deadline_do_nothing) {
  put_chain("t", 3);
  const Call late{Deadline::after(-std::chrono::seconds(1)), {}};
  for (const auto& operation : operations()) {
    SCOPED_TRACE(operation.name);
    expect_error(Code::timeout, "", [&] { operation.run(access(), late); });
  }
  EXPECT_EQ(ids({}), (Strings{"3", "2", "1"}));
  EXPECT_EQ(load("t").writes.size(), 0U);
  EXPECT_EQ(thread("t")->metadata, "{}");
}

TEST_P(Calls, cancelled_before_they_begin_do_nothing) {
  put_chain("t", 3);
  std::stop_source source;
  source.request_stop();
  const Call cancelled{Deadline(), source.get_token()};
  for (const auto& operation : operations()) {
    SCOPED_TRACE(operation.name);
    expect_error(Code::cancelled, "", [&] { operation.run(access(), cancelled); });
  }
  EXPECT_EQ(ids({}), (Strings{"3", "2", "1"}));
  EXPECT_EQ(load("t").writes.size(), 0U);
  EXPECT_EQ(thread("t")->metadata, "{}");
}

TEST_P(Calls, without_deadline_end) {
  const Call patient{Deadline::never(), {}};
  put_chain("t", 3);
  for (const auto& operation : operations()) {
    SCOPED_TRACE(operation.name);
    EXPECT_NO_THROW(operation.run(access(), patient));
  }
}

TEST_P(Calls, say_in_their_errors_what_was_being_done) {
  const auto operation_of = [&](Mutation mutation) {
    try {
      write(std::move(mutation));
    } catch (const Error& error) {
      return error.operation();
    }
    return std::string("no error");
  };
  EXPECT_EQ(operation_of(Draft("", "1")), "put");
  EXPECT_EQ(operation_of(PutWrites{"", "", "1", {}}), "put_writes");
  EXPECT_EQ(operation_of(DeleteThread{""}), "delete_thread");
  put(Draft("t", "1"));
  EXPECT_EQ(operation_of(Draft("t", "2").require_latest_parent()), "put");
}

TEST_P(Calls, in_one_group_have_outcomes_of_their_own) {
  put(Draft("t", "1"));
  const auto outcomes = store()->write_all(
      {Draft("t", "2").parent("1"), Draft("t", ""), Draft("t", "3").require_latest_parent(),
       PutWrites{"t", "", "2", {pending("task", 0, "a", "x")}}, DeleteThread{"nobody"},
       Draft("u", "1").metadata("no json"), Draft("u", "1")},
      Call{});
  ASSERT_EQ(outcomes.size(), 7U);
  std::vector<std::string> codes;
  for (const auto& outcome : outcomes) {
    codes.emplace_back(outcome.error ? to_string(outcome.error->code()) : "ok");
  }
  EXPECT_EQ(codes,
            (Strings{"ok", "invalid_argument", "conflict", "ok", "ok", "invalid_argument", "ok"}));
  EXPECT_EQ(ids_of("t"), (Strings{"2", "1"}));
  EXPECT_EQ(load("t").writes.size(), 1U);
  EXPECT_EQ(ids_of("u"), Strings{"1"});
}

TEST_P(Calls, in_one_group_keep_the_order_of_a_thread) {
  std::vector<Mutation> group;
  for (int i = 0; i < 50; ++i) {
    group.emplace_back(PutWrites{"t", "", "1", {pending("task", -4, "r", std::to_string(i))}});
    group.emplace_back(PutThread{"t", "{\"i\": " + std::to_string(i) + "}"});
  }
  group.emplace_back(Draft("t", "1"));
  for (const auto& outcome : store()->write_all(group, Call{})) EXPECT_FALSE(outcome.error);
  EXPECT_EQ(describe(load("t").writes), Strings{"task -4 r 49"});
  EXPECT_TRUE(json_equal(thread("t")->metadata, R"({"i": 49})"));
  EXPECT_EQ(thread("t")->revision, 50);
}

TEST_P(Calls, in_one_group_may_span_threads) {
  const auto outcomes = store()->write_all(
      {Draft("t", "1"), CopyThread{"t", "u"}, DeleteThread{"t"}, Draft("u", "2").parent("1")},
      Call{});
  for (const auto& outcome : outcomes) EXPECT_FALSE(outcome.error);
  EXPECT_EQ(ids_of("t"), Strings{});
  EXPECT_EQ(ids_of("u"), (Strings{"2", "1"}));
}

TEST_P(Calls, in_no_group_at_all_are_fine) {
  EXPECT_EQ(store()->write_all({}, Call{}).size(), 0U);
}

TEST_P(Calls, from_many_threads_lose_nothing) {
  constexpr int writers = 8;
  constexpr int each = 25;
  std::atomic<int> failed = 0;
  const auto run = [&](int writer) {
    for (int i = 0; i < each; ++i) {
      const auto id = std::to_string(writer) + "-" + std::to_string(100 + i);
      try {
        put(Draft("shared", id).value("a", id, id));
        put_writes("shared", id, {pending("task", 0, "a", id)});
      } catch (const Error&) {
        ++failed;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) threads.emplace_back(run, writer);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  const auto found = all(of_thread("shared"));
  ASSERT_EQ(found.size(), static_cast<std::size_t>(writers) * each);
  for (const auto& item : found) {
    EXPECT_EQ(value_of(item, "a"), item.checkpoint_id);
    EXPECT_EQ(item.writes.size(), 1U);
  }
}

// Address space of a given size that costs no memory until it is touched.
class Reserved {
 public:
  explicit Reserved(std::size_t size)
      : size_(size),
        start_(mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
  }
  ~Reserved() {
    if (valid()) munmap(start_, size_);
  }
  Reserved(const Reserved&) = delete;
  Reserved& operator=(const Reserved&) = delete;

  bool valid() const { return start_ != MAP_FAILED; }
  std::string_view view() const { return {static_cast<const char*>(start_), size_}; }

 private:
  std::size_t size_;
  void* start_;
};

TEST_P(Calls, with_too_large_a_value_name_the_limit) {
  const auto limit = store()->capabilities().max_value_bytes;
  const auto reserved = std::make_shared<Reserved>(limit + 1);
  ASSERT_TRUE(reserved->valid());
  const auto large = Bytes::share(reserved, reserved->view());
  PutCheckpoint checkpoint = Draft("t", "1").value("a", "1", "x").carries("large", "1");
  checkpoint.blobs.push_back({"large", "1", "text", large});
  expect_error(Code::invalid_argument, std::to_string(limit), [&] { put(checkpoint); });
  expect_error(Code::invalid_argument, "large", [&] { put(checkpoint); });
  expect_error(Code::invalid_argument, std::to_string(limit), [&] {
    put_writes("t", "1", {{"task", 0, "a", "", "text", large}});
  });
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(Calls, find_the_store_well) {
  const auto capabilities = store()->capabilities();
  EXPECT_NE(capabilities.name, "");
  EXPECT_GE(capabilities.max_value_bytes, 1024U * 1024U);
  EXPECT_GE(capabilities.max_concurrent_batches, 1U);
  const auto health = store()->ping(Call{});
  EXPECT_TRUE(health.ok) << health.detail;
  EXPECT_NE(health.detail, "");
}

TEST_P(Calls, may_set_the_store_up_again) {
  store()->setup(Call{});
  put(Draft("t", "1"));
  store()->setup(Call{});
  EXPECT_EQ(ids_of("t"), Strings{"1"});
}

}  // namespace

}  // namespace threadkeep::testing
