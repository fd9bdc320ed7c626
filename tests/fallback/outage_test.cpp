// SPDX-License-Identifier: Apache-2.0
// What can be done with threads while their server is away, and where it is when the server is
// back.
#include "fallback/support.hpp"

namespace threadkeep::fallback_test {
namespace {

struct Case {
  std::string name;
  std::unique_ptr<Server> (*make)();
};

class Outage : public ServerTest, public ::testing::WithParamInterface<Case> {
 protected:
  Outage() : ServerTest(GetParam().make()) { reopen(options()); }

  void reopen(FallbackOptions options) {
    store_.reset();
    store_ = open_with_fallback(server_->url(), "memory:", std::move(options));
  }
};

std::string value_of(const LogRecord& record, const std::string& key) {
  for (const LogField& field : record.fields) {
    if (field.key == key) return field.value;
  }
  return "no field";
}

TEST_P(Outage, of_a_cached_thread_is_not_noticed_by_who_goes_on) {
  make_cached("t", 3);
  server_->stop();
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(3));
  put(step("t", 4));
  put(PutWrites{"t", "", id_of(4), {pending("task", 0, "c", "w")}});
  const auto read = latest(*store_, "t");
  EXPECT_EQ(read->checkpoint_id, id_of(4));
  EXPECT_EQ(text_of(*read), id_of(4));
  EXPECT_EQ(read->writes.size(), 1U);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(4));
  const auto after = latest(*plain(), "t");
  EXPECT_EQ(after->writes, read->writes);
  EXPECT_EQ(text_of(*after), id_of(4));
  EXPECT_EQ(log_.count("fallback_fork"), 0U);
}

TEST_P(Outage, at_the_end_of_the_process_is_told_to_have_lost_what_waited_in_memory) {
  make_cached("t", 2);
  server_->stop();
  put(step("t", 3));
  EXPECT_EQ(log_.count("fallback_lost"), 0U);
  store_.reset();
  const auto lost = log_.of("fallback_lost");
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].level, LogLevel::error);
  EXPECT_EQ(lost[0].fields.at(0).value, "2") << "the write, and what it builds on";
  server_->start();
  EXPECT_EQ(stored("t"), ids_to(2));
}

TEST_P(Outage, by_sigkill_is_the_same) {
  make_cached("t", 2);
  server_->kill();
  for (int i = 3; i < 20; ++i) put(step("t", i));
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(19));
}

TEST_P(Outage, that_was_there_first_lets_new_threads_begin) {
  server_->stop();
  reopen(options());
  store_->setup(Call());
  put(first_step("new"));
  put(step("new", 2));
  EXPECT_EQ(latest(*store_, "new")->checkpoint_id, id_of(2));
  // Others may have made more of it than its first checkpoint.
  EXPECT_EQ(code_of([&] { ids_of(*store_, "new"); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { store_->get({"new", "child", {}, {}}, Call()); }), Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("new"), ids_to(2));
}

TEST_P(Outage, leaves_unknown_threads_unavailable) {
  make_cached("t", 2);
  reopen(options());
  server_->stop();
  const auto error = error_of([&] { latest(*store_, "t"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::unavailable);
  EXPECT_NE(error->message().find("fallback_new=allow"), std::string::npos) << error->what();
  EXPECT_EQ(code_of([&] { put(step("t", 3)); }), Code::unavailable);
  EXPECT_EQ(code_of([&] {
              put(PutWrites{"t", "", id_of(2), {pending("k", 0, "c", "w")}});
            }),
            Code::unavailable);
  server_->start();
  EXPECT_TRUE(comes_true([&] { return !error_of([&] { put(step("t", 3)); }); }));
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(3));
}

TEST_P(Outage, forgets_threads_that_were_not_used_of_late) {
  auto small = options();
  small.cache_bytes = 5000;
  reopen(small);
  for (int i = 0; i < 20; ++i) make_cached(std::to_string(i), 1);
  server_->stop();
  EXPECT_EQ(latest(*store_, "19")->checkpoint_id, id_of(1));
  EXPECT_EQ(code_of([&] { latest(*store_, "0"); }), Code::unavailable);
}

TEST_P(Outage, takes_unknown_threads_for_new_where_that_is_allowed) {
  make_cached("old", 2);
  auto allowing = options();
  allowing.unknown = FallbackOptions::UnknownThreads::allow;
  reopen(allowing);
  server_->stop();
  EXPECT_FALSE(latest(*store_, "new"));
  EXPECT_FALSE(latest(*store_, "old"));
  EXPECT_EQ(code_of([&] { store_->get({"old", "", id_of(2), {}}, Call()); }), Code::unavailable);
  put(first_step("new"));
  EXPECT_EQ(latest(*store_, "new")->checkpoint_id, id_of(1));
  EXPECT_EQ(ids_of(*store_, "new"), ids_to(1));
  // What goes on from a checkpoint that is not here is kept, and not shown without its values.
  put(step("other", 7));
  EXPECT_EQ(code_of([&] { ids_of(*store_, "other"); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { latest(*store_, "other"); }), Code::unavailable);
  // It was taken for new too early.
  put(PutThread{"late", "{}"});
  put(step("late", 7));
  EXPECT_EQ(code_of([&] { latest(*store_, "late"); }), Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("new"), ids_to(1));
  EXPECT_EQ(stored("other"), std::vector{id_of(7)});
}

TEST_P(Outage, shows_nothing_that_builds_on_what_is_not_here) {
  auto allowing = options();
  allowing.unknown = FallbackOptions::UnknownThreads::allow;
  reopen(allowing);
  make_cached("t", 3);
  plain()->write(step("t", 4), Call());
  server_->stop();
  put(step("t", 5));
  EXPECT_EQ(code_of([&] { latest(*store_, "t"); }), Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(5));
}

TEST_P(Outage, does_not_judge_conflicts_of_what_is_known_in_part) {
  make_cached("t", 3);
  server_->stop();
  auto late = PutCheckpoint(Draft("t", "000003b").parent(id_of(2)).value("text", "b", "b"));
  late.require_latest_parent = true;
  EXPECT_EQ(code_of([&] { put(late); }), Code::unavailable);
}

// LangGraph reads each thread before it writes it.
TEST_P(Outage, of_a_thread_that_was_absent_may_hide_that_others_began_it) {
  EXPECT_FALSE(latest(*store_, "t"));
  plain()->write(first_step("t"), Call());
  server_->stop();
  EXPECT_EQ(code_of([&] { latest(*store_, "t"); }), Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(1));
}

TEST_P(Outage, serves_nothing_older_than_what_was_seen) {
  make_cached("by get", 2);
  make_cached("by list", 2);
  make_cached("not", 2);
  const auto other = plain();
  for (const auto* thread_id : {"by get", "by list", "not"}) {
    other->write(step(thread_id, 3), Call());
  }
  CheckpointQuery query{"by get", "", {}, {}};
  query.include.values = false;
  EXPECT_EQ(store_->get(query, Call())->checkpoint_id, id_of(3));
  EXPECT_EQ(ids_of(*store_, "by list"), ids_to(3));
  store_->get({"not", "", id_of(1), {}}, Call());
  server_->stop();
  EXPECT_EQ(code_of([&] { latest(*store_, "by get"); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { latest(*store_, "by list"); }), Code::unavailable);
  EXPECT_EQ(latest(*store_, "not")->checkpoint_id, id_of(2)) << "nobody here has seen more";
  put(step("by get", 4));
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(latest(*store_, "by get")->checkpoint_id, id_of(4));
  EXPECT_EQ(stored("by get"), ids_to(4));
  EXPECT_EQ(log_.count("fallback_fork"), 0U);
}

TEST_P(Outage, shows_of_a_cached_thread_what_is_known) {
  make_cached("t", 3);
  server_->stop();
  put(step("t", 4));
  const auto get = [&](const std::string& id) {
    return store_->get({.thread_id = "t", .checkpoint_ns = "", .checkpoint_id = id, .include = {}},
                       Call());
  };
  EXPECT_EQ(get(id_of(3))->checkpoint_id, id_of(3));
  EXPECT_EQ(get(id_of(4))->checkpoint_id, id_of(4));
  EXPECT_EQ(code_of([&] { get(id_of(1)); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { ids_of(*store_, "t"); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { store_->thread({"t"}, Call()); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { store_->history({"t", "", {}, {"text"}}, Call()); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { store_->get({"t", "child", {}, {}}, Call()); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { put(DeleteThread{"t"}); }), Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(4));
}

TEST_P(Outage, makes_what_spans_threads_unavailable) {
  make_cached("t", 2);
  server_->stop();
  put(step("t", 3));
  EXPECT_EQ(code_of([&] { store_->threads({}, Call()); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { store_->list({}, Call()); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { store_->stats({}, Call()); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { put(DeleteRuns{{"run"}}); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { put(CopyThread{"t", "u"}); }), Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(store_->threads({}, Call()).items.size(), 1U);
}

TEST_P(Outage, serves_messages_and_state_of_threads_that_began_in_it) {
  auto allowing = options();
  allowing.unknown = FallbackOptions::UnknownThreads::allow;
  reopen(allowing);
  make_cached("old", 2);
  SessionStore sessions(store_);
  server_->stop();
  put(first_step("t"));
  const auto appended = sessions.append({.thread_id = "t",
                                         .stream = "",
                                         .messages = {{"m1", "user", R"("hello")", "{}"}},
                                         .state = {},
                                         .operation_id = {},
                                         .expected_revision = {}});
  EXPECT_EQ(appended.messages.front().seq, 1);
  sessions.put_state(StateScope::of_thread("t"), "k", "1");
  EXPECT_EQ(sessions.tail({"t", "", 10, {}}).front().content, R"("hello")");
  EXPECT_EQ(sessions.state({StateScope::of_thread("t"), "k"})->value, "1");
  EXPECT_EQ(sessions.thread({"t"})->revision, 2);
  EXPECT_EQ(code_of([&] { sessions.put_state(StateScope::of_thread("old"), "k", "1"); }),
            Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  SessionStore other(plain());
  EXPECT_EQ(other.tail({"t", "", 10, {}}).front().content, R"("hello")");
  EXPECT_EQ(other.state({StateScope::of_thread("t"), "k"})->value, "1");
}

// Who clears an old conversation has to know that it is still there.
TEST_P(Outage, does_not_acknowledge_what_finds_nothing_in_a_thread_taken_for_new) {
  const auto append = [](const std::string& id) {
    AppendMessages one;
    one.thread_id = "t";
    one.messages = {{id, "user", R"("hello")", "{}"}};
    return one;
  };
  plain()->write(append("old"), Call());
  auto allowing = options();
  allowing.unknown = FallbackOptions::UnknownThreads::allow;
  reopen(allowing);
  server_->stop();
  EXPECT_EQ(code_of([&] { put(ClearMessages{"t", {}}); }), Code::unavailable);
  EXPECT_EQ(code_of([&] {
              put(UpdateMessage{"t", "old", R"("new")", {}, {}});
            }),
            Code::unavailable);
  EXPECT_EQ(code_of([&] { put(UpdateMessage{"t", "old", R"("new")", {}, 1}); }), Code::unavailable);
  EXPECT_EQ(metric("threadkeep_journal_entries"), 0);
  put(append("m"));
  put(UpdateMessage{"t", "m", R"("new")", {}, {}});
  put(ClearMessages{"t", {}});
  EXPECT_EQ(code_of([&] { put(ClearMessages{"t", {}}); }), Code::unavailable);
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(SessionStore(plain()).tail({"t", "", 10, {}}).size(), 1U);
  EXPECT_EQ(store_->write(ClearMessages{"t", {}}, Call()).changed, 1U);
}

TEST_P(Outage, is_told_to_who_asks_and_to_the_log) {
  make_cached("t", 2);
  auto talkative = options();
  talkative.warn_every = 0ms;
  reopen(talkative);
  latest(*store_, "t");
  const LogRecord configured = log_.of("fallback_configured").back();
  EXPECT_EQ(configured.level, LogLevel::warning);
  EXPECT_NE(configured.message.find("lost when this process ends"), std::string::npos);
  EXPECT_FALSE(store_->ping(Call()).degraded);
  server_->stop();
  put(step("t", 3));
  const Health health = store_->ping(Call());
  EXPECT_TRUE(health.ok && health.degraded);
  EXPECT_NE(health.detail.find("entries in the journal: 2"), std::string::npos) << health.detail;
  EXPECT_EQ(metric("threadkeep_fallback_active"), 1);
  EXPECT_EQ(metric("threadkeep_journal_entries"), 2);
  EXPECT_GT(metric("threadkeep_journal_bytes"), 0);
  const auto replayed = metric("threadkeep_fallback_replayed_total");
  EXPECT_TRUE(comes_true([&] {
    const auto told = log_.of("fallback_continues");
    return !told.empty() && value_of(told.back(), "entries") == "2";
  }));
  server_->start();
  EXPECT_TRUE(comes_true([&] { return log_.count("fallback_ended") == 1; }));
  EXPECT_EQ(value_of(log_.of("fallback_ended").front(), "entries"), "0");
  EXPECT_EQ(value_of(log_.of("fallback_ended").front(), "stored"), "1");
  EXPECT_EQ(value_of(log_.of("fallback_ended").front(), "forks"), "0");
  EXPECT_EQ(value_of(log_.of("fallback_ended").front(), "set_aside"), "0");
  EXPECT_EQ(log_.count("fallback_began"), 1U);
  EXPECT_GE(log_.count("fallback_replay_began"), 1U);
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(metric("threadkeep_fallback_active"), 0);
  EXPECT_EQ(metric("threadkeep_journal_entries"), 0);
  EXPECT_EQ(metric("threadkeep_journal_bytes"), 0);
  EXPECT_EQ(metric("threadkeep_fallback_replayed_total"), replayed + 1);
}

TEST_P(Outage, ends_what_is_accepted_when_the_journal_is_full) {
  auto small = options();
  small.journal_bytes = 4000;
  reopen(small);
  make_cached("t", 2);
  server_->stop();
  int last = 2;
  std::optional<Error> full;
  while (!full && last < 100) {
    full = error_of([&] { put(step("t", last + 1)); });
    if (!full) ++last;
  }
  ASSERT_TRUE(full);
  EXPECT_EQ(full->code(), Code::unavailable);
  EXPECT_EQ(full->native(), "journal_full");
  EXPECT_GT(last, 3);
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(last));
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(last));
  put(step("t", last + 1));
  EXPECT_EQ(stored("t"), ids_to(last + 1));
}

// The journal outlives the store, so that others can be there before it is replayed.
class OutageOfOne : public Outage {
 protected:
  OutageOfOne() { open_again(); }

  void open_again() {
    store_.reset();
    store_ = open_with_fallback(server_->url(), journal_);
  }
  /// What waits is sent by a store that is asked for nothing but how it is.
  void replay() {
    open_again();
    store_->ping(Call());
  }

  const std::string journal_ = "sqlite:" + (directory_.path() / "journal.db").string();
};

TEST_P(OutageOfOne, in_which_a_thread_went_on_elsewhere_leaves_both_branches) {
  make_cached("t", 2);
  server_->stop();
  put(Draft("t", "000003here").parent(id_of(2)).value("text", "here", "here"));
  put(Draft("t", "000004here").parent("000003here").value("text", "here2", "here2"));
  store_.reset();
  server_->start();
  plain()->write(Draft("t", "000003elsewhere").parent(id_of(2)).value("text", "e", "e"), Call());
  const auto forks = metric("threadkeep_fallback_forks_total");
  replay();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), (std::vector<std::string>{id_of(1), id_of(2), "000003elsewhere",
                                                   "000003here", "000004here"}));
  EXPECT_EQ(log_.count("fallback_fork"), 1U);
  EXPECT_EQ(metric("threadkeep_fallback_forks_total"), forks + 1);
}

TEST_P(OutageOfOne, in_which_a_thread_was_read_and_others_went_on_is_a_fork_too) {
  make_cached("t", 2);
  server_->stop();
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(2));
  server_->start();
  plain()->write(Draft("t", "000003elsewhere").parent(id_of(2)).value("text", "e", "e"), Call());
  put(Draft("t", "000003here").parent(id_of(2)).value("text", "here", "here"));
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t").size(), 4U);
  EXPECT_EQ(log_.count("fallback_fork"), 1U);
}

TEST_P(OutageOfOne, in_which_a_thread_was_deleted_sets_aside_what_came_after) {
  make_cached("t", 2);
  make_cached("u", 1);
  server_->stop();
  put(step("t", 3));
  put(PutWrites{"t", "", id_of(2), {pending("task", 0, "c", "w")}});
  put(step("u", 2));
  store_.reset();
  server_->start();
  plain()->write(DeleteThread{"t"}, Call());
  replay();
  EXPECT_TRUE(nothing_waits());
  EXPECT_EQ(log_.count("fallback_set_aside"), 2U);
  EXPECT_EQ(metric("threadkeep_fallback_set_aside"), 2);
  EXPECT_FALSE(latest(*plain(), "t"));
  EXPECT_EQ(stored("u"), ids_to(2));
  EXPECT_TRUE(store_->ping(Call()).degraded);
  const auto findings = store_->examine(Call());
  EXPECT_EQ(findings.back().subject, "fallback_set_aside");
  EXPECT_EQ(findings.back().level, Finding::Level::problem);
  // Nobody has lost it, and the thread can be used again.
  EXPECT_TRUE(comes_true([&] { return !error_of([&] { latest(*store_, "t"); }); }));
  EXPECT_FALSE(latest(*store_, "t"));
  open_again();
  EXPECT_FALSE(latest(*store_, "t"));
  EXPECT_EQ(metric("threadkeep_fallback_set_aside"), 2);
}

// A load balancer is not to send calls to who cannot carry out any.
TEST_P(OutageOfOne, is_not_survived_by_who_does_not_get_the_journal) {
  make_cached("t", 1);
  const auto second = open_with_fallback(server_->url(), journal_);
  EXPECT_EQ(code_of([&] { latest(*second, "t"); }), Code::unavailable);
  const Health health = second->ping(Call());
  EXPECT_FALSE(health.ok);
  EXPECT_NE(health.detail.find("no fallback"), std::string::npos) << health.detail;
  store_.reset();
  EXPECT_TRUE(latest(*second, "t"));
  EXPECT_TRUE(second->ping(Call()).ok);
}

TEST_P(OutageOfOne, ends_with_a_process_and_goes_on_with_the_next) {
  make_cached("t", 2);
  server_->stop();
  put(step("t", 3));
  put(first_step("new"));
  open_again();
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(3));
  EXPECT_EQ(text_of(*latest(*store_, "t")), id_of(3));
  put(step("t", 4));
  EXPECT_EQ(latest(*store_, "new")->checkpoint_id, id_of(1));
  put(step("new", 2));
  open_again();
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(4));
  server_->start();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(4));
  EXPECT_EQ(stored("new"), ids_to(2));
  EXPECT_EQ(log_.count("fallback_fork"), 0U);
  EXPECT_EQ(log_.count("fallback_left"), 2U);
}

std::string name_of(const ::testing::TestParamInfo<Case>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(Stores, OutageOfOne,
                         ::testing::Values(Case{"postgres", make_postgres},
                                           Case{"redis", make_redis}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Stores, Outage,
                         ::testing::Values(Case{"postgres", make_postgres},
                                           Case{"redis", make_redis}),
                         name_of);

}  // namespace
}  // namespace threadkeep::fallback_test
