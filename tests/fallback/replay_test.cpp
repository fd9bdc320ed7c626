// SPDX-License-Identifier: Apache-2.0
// What the server makes of what waited: it refuses some of it, or goes away in the middle.
#include <atomic>
#include <filesystem>
#include <future>
#include <numeric>

#include "fallback/support.hpp"
#include "layers/fallback_replay.hpp"
#include "layers/fallback_writes.hpp"
#include "layers/forwarding_backend.hpp"
#include "threadkeep/journal.hpp"
#include "threadkeep/sql_host.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::fallback_test {
namespace {

FallbackOptions allowing() {
  auto options = fallback_test::options();
  options.unknown = FallbackOptions::UnknownThreads::allow;
  return options;
}

class Replay : public ServerTest {
 protected:
  Replay() : ServerTest(make_postgres()) { open_again(); }

  void open_again(FallbackOptions options = fallback_test::options()) {
    store_.reset();
    store_ = open_with_fallback(server_->url(), journal(), std::move(options));
  }
  std::string journal() const { return "sqlite:" + file().string(); }
  std::filesystem::path file() const { return directory_.path() / "journal.db"; }

  int count(const std::string& thread_id) const {
    const auto store = plain();
    CheckpointList query;
    query.thread_id = thread_id;
    int count = 0;
    do {
      const auto page = store->list(query, Call());
      count += static_cast<int>(page.items.size());
      query.cursor = page.next;
    } while (!query.cursor.empty());
    return count;
  }

  /// From now on the server ends what writes `id` of "t" into the table with this SQLSTATE.
  void refuse(const std::string& table, const std::string& id, const std::string& state) {
    run("CREATE FUNCTION {schema}refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.thread_id = 't' AND NEW.checkpoint_id = '" +
        id + "' THEN RAISE EXCEPTION 'refused' USING ERRCODE = '" + state +
        "'; END IF; RETURN NEW; END $$; CREATE TRIGGER refuse BEFORE INSERT ON {schema}" + table +
        " FOR EACH ROW EXECUTE FUNCTION {schema}refuse()");
  }
  void accept() { run("DROP FUNCTION {schema}refuse() CASCADE"); }
  void run(const std::string& sql) const {
    Registry::builtin().open(server_->url())->sql()->execute(sql, Call());
  }
  /// What waits is not sent before the next call.
  void bring_back() {
    store_.reset();
    server_->start();
  }
};

TEST_F(Replay, that_is_broken_off_leaves_a_process_all_that_it_reads) {
  make_cached("t", 3);
  server_->stop();
  put(Draft("t", id_of(4)).parent(id_of(3)).carries("text", id_of(3)).value("more", "1", "m"));
  put(PutWrites{"t", "", id_of(4), {pending("task", 0, "c", "w")}});
  bring_back();
  refuse("checkpoint_writes", id_of(4), "53100");
  open_again();
  store_->ping(Call());
  EXPECT_TRUE(comes_true([&] { return stored("t") == ids_to(4); }));
  server_->kill();
  open_again();
  const auto read = latest(*store_, "t");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->checkpoint_id, id_of(4));
  EXPECT_EQ(read->values.size(), 2U);
  EXPECT_EQ(read->writes.size(), 1U);
  server_->start();
  accept();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(latest(*plain(), "t")->writes.size(), 1U);
  EXPECT_EQ(log_.count("fallback_fork"), 0U);
  EXPECT_EQ(log_.count("fallback_set_aside"), 0U);
}

TEST_F(Replay, that_did_what_cannot_be_done_twice_leaves_nothing_to_read) {
  open_again(allowing());
  server_->stop();
  put(PutThread{"t", R"({"who":"me"})"});
  put(first_step("t"));
  bring_back();
  refuse("checkpoints", id_of(1), "53100");
  open_again(allowing());
  store_->ping(Call());
  EXPECT_TRUE(comes_true([&] { return metric("threadkeep_journal_entries") == 2; }));
  server_->kill();
  open_again(allowing());
  EXPECT_EQ(code_of([&] { latest(*store_, "t"); }), Code::unavailable);
  EXPECT_EQ(code_of([&] { store_->thread({"t"}, Call()); }), Code::unavailable);
  server_->start();
  accept();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(1));
  EXPECT_EQ(store_->thread({"t"}, Call())->metadata, R"({"who": "me"})");
}

TEST_F(Replay, of_what_is_refused_stores_nothing_that_builds_on_it) {
  make_cached("t", 3);
  make_cached("u", 1);
  server_->stop();
  for (int i = 4; i < 8; ++i) put(step("t", i));
  put(PutWrites{"t", "", id_of(7), {pending("task", 0, "c", "w")}});
  put(step("u", 2));
  bring_back();
  refuse("checkpoints", id_of(5), "22023");
  open_again();
  store_->ping(Call());
  EXPECT_TRUE(nothing_waits());
  EXPECT_EQ(stored("t"), ids_to(4));
  EXPECT_EQ(stored("u"), ids_to(2));
  const auto aside = log_.of("fallback_set_aside");
  EXPECT_EQ(aside.size(), 4U);
  // Who knows only what was here goes on from nothing that is there.
  EXPECT_EQ(code_of([&] { put(step("t", 8)); }), Code::conflict);
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(4));
  EXPECT_EQ(code_of([&] { put(step("t", 8)); }), Code::conflict);
  put(Draft("t", "000008b").parent(id_of(4)).value("text", "b", "b"));
  EXPECT_EQ(latest(*plain(), "t")->checkpoint_id, "000008b");
}

TEST_F(Replay, does_not_hold_up_other_threads_for_one_that_is_stuck) {
  make_cached("t", 3);
  make_cached("u", 1);
  server_->stop();
  for (int i = 4; i < 8; ++i) put(step("t", i));
  put(step("u", 2));
  bring_back();
  refuse("checkpoints", id_of(4), "XX000");
  open_again();  // No call is needed.
  EXPECT_TRUE(comes_true([&] { return stored("u") == ids_to(2); }));
  put(step("u", 3));
  EXPECT_EQ(stored("u"), ids_to(3));
  EXPECT_EQ(stored("t"), ids_to(3));
  accept();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(7));
  EXPECT_EQ(log_.count("fallback_set_aside"), 0U);
}

TEST_F(Replay, comes_to_an_end_while_a_thread_is_written_to) {
  make_cached("t", 1);
  store_.reset();
  store_ = open_with_fallback(server_->url(), "memory:");
  latest(*store_, "t");
  server_->stop();
  std::atomic<bool> stop{false};
  std::atomic<int> last{1};
  auto writer = std::async(std::launch::async, [&] {
    while (!stop) {
      put(step("t", last + 1));
      ++last;
    }
  });
  EXPECT_TRUE(comes_true([&] { return last > 1000; }));
  server_->start();
  EXPECT_TRUE(nothing_waits());
  stop = true;
  writer.get();
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(latest(*plain(), "t")->checkpoint_id, id_of(last));
  EXPECT_EQ(count("t"), last);
  EXPECT_EQ(log_.count("fallback_fork"), 0U);
}

// A wrong name, and not an outage: nobody is to believe that the store comes back by itself.
TEST_F(Replay, is_not_for_a_database_that_is_not_there) {
  store_.reset();
  const std::string url = server_->url();
  const std::string name = Url::parse(url).path().substr(1);
  std::string wrong = url;
  wrong.replace(wrong.find(name), name.size(), "nowhere");
  store_ = open_with_fallback(wrong, journal(), allowing());
  const auto error = error_of([&] { put(first_step("t")); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::invalid_argument) << error->what();
  EXPECT_NE(error->message().find("name another in the URL"), std::string::npos) << error->what();
  EXPECT_EQ(code_of([&] { latest(*store_, "t"); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { store_->setup(Call()); }), Code::invalid_argument);
  EXPECT_FALSE(store_->ping(Call()).ok);
  EXPECT_EQ(log_.count("fallback_began"), 0U);
  EXPECT_EQ(metric("threadkeep_journal_entries"), 0);
}

// As while a backup is restored.
TEST_F(Replay, waits_for_a_database_that_was_taken_away) {
  make_cached("t", 2);
  server_->stop();
  put(step("t", 3));
  bring_back();
  const std::string name = Url::parse(server_->url()).path().substr(1);
  run_on_postgres("ALTER DATABASE \"" + name + "\" RENAME TO taken_away");
  open_again();
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(3)) << "it goes on";
  put(step("t", 4));
  EXPECT_TRUE(comes_true(
      [&] { return store_->ping(Call()).detail.find("does not exist") != std::string::npos; }));
  EXPECT_EQ(code_of([&] { latest(*store_, "other"); }), Code::invalid_argument);
  run_on_postgres("ALTER DATABASE taken_away RENAME TO \"" + name + "\"");
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(stored("t"), ids_to(4));
  EXPECT_EQ(log_.count("fallback_set_aside"), 0U);
}

TEST_F(Replay, takes_only_the_messages_that_were_taken_here) {
  const auto append = [](const std::string& id) {
    AppendMessages one;
    one.thread_id = "t";
    one.messages = {{id, "user", R"("hello")", "{}"}};
    return one;
  };
  open_again(allowing());
  server_->stop();
  for (const std::string id : {"m1", "m2", "m3"}) put(append(id));
  const auto popped = store_->write(PopMessages{"t", "", 1, "op"}, Call());
  EXPECT_EQ(popped.messages.front().id, "m3");
  put(ClearMessages{"t", {}});
  bring_back();
  plain()->write(append("other"), Call());
  open_again(allowing());
  store_->ping(Call());
  EXPECT_TRUE(nothing_waits());
  EXPECT_EQ(log_.count("fallback_set_aside"), 0U);
  SessionStore sessions(plain());
  const auto left = sessions.tail({"t", "", 10, {}});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left.front().id, "other");
}

// As when a process ends after the server has answered, and before the journal knows.
TEST_F(Replay, may_happen_twice) {
  open_again(allowing());
  server_->stop();
  put(first_step("t"));
  put(ChangeState{StateScope::of_thread("t"), {{"k", StateChange::Kind::put, "1", 0}}});
  put(step("t", 2));
  bring_back();
  std::filesystem::copy_file(file(), directory_.path() / "copy.db");
  open_again(allowing());
  EXPECT_TRUE(is_healthy(*store_));
  store_.reset();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file().string() + end);
  std::filesystem::copy_file(directory_.path() / "copy.db", file());
  open_again(allowing());
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(log_.count("fallback_seems_stored"), 1U);
  EXPECT_EQ(stored("t"), ids_to(2));
}

TEST_F(Replay, keeps_the_order_of_a_batch_after_a_read_here) {
  make_cached("t", 3);
  store_.reset();
  const Registry& registry = Registry::builtin();
  const auto backend = Stack(registry.open(server_->url()))
                           .deadline()
                           .breaker()
                           .fallback(registry.open("memory:"), fallback_test::options())
                           .build();
  const CheckpointQuery query{"t", "", {}, {}};
  ASSERT_TRUE(backend->get(query, Call()));
  server_->stop();
  ASSERT_TRUE(backend->get(query, Call()));
  server_->start();
  EXPECT_TRUE(comes_true([&] {
    const Health health = backend->ping(Call());
    return health.ok && !health.degraded;
  }));
  const std::vector<Mutation> batch{DeleteThread{"t"}, first_step("t")};
  for (const Outcome& outcome : backend->apply(batch, Call())) {
    EXPECT_FALSE(outcome.error) << outcome.error->what();
  }
  const auto read = backend->get(query, Call());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->checkpoint_id, id_of(1));
  EXPECT_EQ(stored("t"), ids_to(1));
}

TEST_F(Replay, sets_aside_a_change_from_which_others_have_gone_on) {
  const auto change = [](std::string value, std::int64_t expected) {
    return ChangeState{StateScope::of_thread("t"),
                       {{"k", StateChange::Kind::put, std::move(value), expected}}};
  };
  open_again(allowing());
  server_->stop();
  put(change("1", 0));
  bring_back();
  const auto other = plain();
  for (int version = 0; version < 3; ++version) {
    other->write(change(std::to_string(10 + version), version), Call());
  }
  open_again(allowing());
  store_->ping(Call());
  EXPECT_TRUE(nothing_waits());
  EXPECT_EQ(log_.count("fallback_set_aside"), 1U);
  EXPECT_EQ(log_.count("fallback_seems_stored"), 0U);
  EXPECT_EQ(SessionStore(other).state({StateScope::of_thread("t"), "k"})->version, 3);
}

/// Answers a call that can be stopped when it is stopped, after it has done all.
class Lingering final : public ForwardingBackend {
 public:
  Lingering(std::unique_ptr<Backend> inner, std::atomic<bool>& stored)
      : ForwardingBackend(std::move(inner)), stored_(stored) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    auto outcomes = inner().apply(batch, {call.deadline, {}});
    if (!call.stop.stop_possible() || outcomes.at(0).error) return outcomes;
    stored_ = true;
    EXPECT_TRUE(comes_true([&] { return call.stop.stop_requested(); }));
    return outcomes;
  }

 private:
  std::atomic<bool>& stored_;
};

TEST_F(Replay, notes_what_was_stored_when_the_store_is_closed_meanwhile) {
  store_.reset();
  std::atomic<bool> stored{false};
  const Registry& registry = Registry::builtin();
  auto backend = Stack(std::make_unique<Lingering>(registry.open(server_->url()), stored))
                     .deadline()
                     .breaker()
                     .fallback(registry.open(journal()), allowing())
                     .build();
  server_->stop();
  const Mutation first = first_step("t");
  EXPECT_FALSE(backend->apply({&first, 1}, Call()).at(0).error);
  server_->start();
  EXPECT_TRUE(comes_true([&] { return stored.load(); }));
  backend.reset();
  EXPECT_EQ(registry.open(journal())->journal()->sizes(Call()).entries, 0U);
}

// Of a MiB a second, with a second for each try.
TEST_F(Replay, divides_what_is_too_much_for_one_try) {
  store_.reset();
  const std::string url = server_->url();
  testing::TcpProxy proxy(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  const Registry& registry = Registry::builtin();
  const auto backend = Stack(registry.open(proxy.in_front_of(url)))
                           .deadline({.per_try = 1s})
                           .breaker()
                           .fallback(registry.open("memory:"), fallback_test::options())
                           .build();
  ASSERT_FALSE(backend->get({"0", "", {}, {}}, Call()));
  proxy.refuse();
  proxy.cut();
  const std::string text(256 << 10, 'x');
  for (int i = 0; i < 8; ++i) {
    const Mutation put = Draft(std::to_string(i), id_of(1)).value("text", "v", text);
    ASSERT_FALSE(backend->apply({&put, 1}, Call()).at(0).error);
  }
  proxy.pass();
  proxy.throttle(1 << 20);
  EXPECT_TRUE(nothing_waits());
  EXPECT_EQ(plain()->threads({}, Call()).items.size(), 8U);
  EXPECT_EQ(log_.count("fallback_set_aside"), 0U);
}

/// Shows a thread that is replayed before each batch of it is stored.
class Watching final : public ForwardingBackend {
 public:
  Watching(FallbackCache& cache, const StateScope& scope)
      : ForwardingBackend(Registry::builtin().open("memory:")), cache_(cache), scope_(scope) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    const auto lane = cache_.find(scope_);
    const std::scoped_lock lock(lane->mutex);
    seen.emplace_back(lane->waiting.size(), lane->closing);
    return inner().apply(batch, call);
  }

  std::vector<std::pair<std::size_t, bool>> seen;  ///< What waits, and whether it is closed.

 private:
  FallbackCache& cache_;
  const StateScope scope_;
};

// Who writes to it would wait for a second each time.
TEST(ReplayOf, a_thread_does_not_hold_up_who_writes_to_it_while_much_is_left) {
  const auto open_memory = fallback_test::options().open_memory;
  Metrics metrics;
  FallbackJournal journal(open_memory(), 64 << 20, metrics);
  FallbackCache cache(64 << 20, open_memory);
  const StateScope scope = StateScope::of_thread("t");
  const auto lane = cache.find_or_make(scope);
  static_cast<void>(journal.load(Call()));
  std::vector<Mutation> batch{first_step("t")};
  for (int i = 2; i <= 500; ++i) batch.emplace_back(step("t", i));
  std::vector<Outcome> outcomes(batch.size());
  std::vector<std::size_t> places(batch.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  {
    FallbackWrites writes(journal, cache, batch, places, false);
    const Error cause(Code::unavailable, "away");
    for (const std::size_t place : places) writes.accept(place, cause, outcomes[place], Call());
    writes.finish(outcomes, Call());
  }
  Watching primary(cache, scope);
  FallbackReplay replay(primary, journal, cache, metrics);
  EXPECT_EQ(replay.drain(Call()), "");
  EXPECT_FALSE(lane->waits());
  ASSERT_GT(primary.seen.size(), 4U);
  EXPECT_EQ(primary.seen.front().first, 500U);
  for (const auto& [waiting, closing] : primary.seen) EXPECT_EQ(closing, waiting <= 128) << waiting;
}

}  // namespace
}  // namespace threadkeep::fallback_test
