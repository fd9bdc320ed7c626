// SPDX-License-Identifier: Apache-2.0
// What goes wrong in the fallback itself: a store that throws what none should, a journal that
// fails for a while.
#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "fallback/support.hpp"
#include "layers/forwarding_backend.hpp"
#include "sqlite/support.hpp"
#include "threadkeep/journal.hpp"

namespace threadkeep::fallback_test {
namespace {

/// What a store is to suffer from. Outlives it.
struct Trouble {
  std::atomic<bool> away{false};     ///< It cannot be reached.
  std::atomic<bool> forgets{false};  ///< It does what it is told, and nobody gets the answer.
  std::atomic<bool> refuses{false};  ///< It takes no writes, and answers all else.
  std::atomic<int> bad_step{0};      ///< It refuses this one for good.
  std::atomic<int> throws{0};        ///< So many times it throws what is no error of a store.
  std::atomic<int> thrown{0};
};

std::vector<Outcome> all_failed(std::span<const Mutation> batch, Code code) {
  return std::vector<Outcome>(batch.size(), Outcome{{}, Error(code, "of the test")});
}

bool is_step(const Mutation& mutation, int number) {
  const auto* put = std::get_if<PutCheckpoint>(&mutation);
  return put != nullptr && put->checkpoint_id == id_of(number);
}

/// A store in trouble, as a layer.
class Troubled final : public ForwardingBackend {
 public:
  Troubled(std::unique_ptr<Backend> inner, Trouble& trouble)
      : ForwardingBackend(std::move(inner)), trouble_(trouble) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    if (trouble_.away) return all_failed(batch, Code::unavailable);
    if (trouble_.refuses) return all_failed(batch, Code::denied);
    if (trouble_.throws > 0) {
      ++trouble_.thrown;
      if (--trouble_.throws % 2 == 0) throw std::runtime_error("of the test");
      throw 1;  // NOLINT: not even an exception
    }
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto one = batch.subspan(i, 1);
      const bool is_bad = is_step(batch[i], trouble_.bad_step);
      auto ended =
          is_bad ? all_failed(one, Code::invalid_argument) : ForwardingBackend::apply(one, call);
      outcomes.push_back(std::move(ended.front()));
    }
    if (trouble_.forgets) return all_failed(batch, Code::outcome_unknown);
    return outcomes;
  }
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    if (trouble_.away) throw Error(Code::unavailable, "of the test");
    return ForwardingBackend::get(query, call);
  }
  Health ping(const Call& call) override {
    return trouble_.away ? Health{false, "of the test"} : ForwardingBackend::ping(call);
  }

 private:
  Trouble& trouble_;
};

class Troubles : public ::testing::Test {
 protected:
  Troubles() { open(); }

  void open(const FallbackOptions& options = fallback_test::options()) {
    store_.reset();
    const Registry& registry = Registry::builtin();
    auto primary = std::make_unique<Troubled>(registry.open(primary_), trouble_);
    // The breaker of its own would hide what the store does.
    auto backend = Stack(std::move(primary))
                       .deadline()
                       .breaker({.failures = 1'000'000})
                       .fallback(registry.open(journal()), options)
                       .build();
    store_ = std::make_shared<Store>(std::move(backend));
  }
  std::string journal() const { return "sqlite:" + file().string(); }
  std::filesystem::path file() const { return directory_.path() / "journal.db"; }

  void put(Mutation mutation) { store_->write(std::move(mutation), Call()); }
  void make_cached(const std::string& thread_id) {
    put(first_step(thread_id));
    ASSERT_TRUE(latest(*store_, thread_id));
  }
  // In the journal, beside whoever uses it.
  void run(const std::string& sql) const { sqlite_test::RawDatabase(file()).run(sql); }
  void break_journal(const std::string& when) const {
    run("CREATE TRIGGER broken BEFORE " + when +
        " ON threadkeep_journal BEGIN SELECT raise(ABORT, 'of the test'); END");
  }
  void mend_journal() const { run("DROP TRIGGER broken"); }

  testing::Logged log_;
  const testing::TemporaryDirectory directory_;
  const std::string primary_ = "sqlite:" + (directory_.path() / "primary.db").string();
  Trouble trouble_;
  std::shared_ptr<Store> store_;
};

TEST_F(Troubles, of_a_replay_that_throws_end_neither_it_nor_the_process) {
  make_cached("t");
  trouble_.away = true;
  put(step("t", 2));
  trouble_.throws = 4;
  trouble_.away = false;
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(trouble_.thrown, 4);
  EXPECT_EQ(ids_of(*threadkeep::open(primary_), "t"), ids_to(2));
  // Nor later ones.
  trouble_.away = true;
  put(step("t", 3));
  trouble_.throws = 2;
  trouble_.away = false;
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(ids_of(*threadkeep::open(primary_), "t"), ids_to(3));
}

TEST_F(Troubles, of_a_journal_that_was_read_by_half_are_over_when_it_is_read_again) {
  for (const auto* thread_id : {"t", "u"}) make_cached(thread_id);
  trouble_.away = true;
  for (const auto* thread_id : {"t", "u"}) put(step(thread_id, 2));
  store_.reset();
  // As after a process that ended while it took away what was stored of "u".
  run("DELETE FROM threadkeep_journal WHERE lane = 'u' AND kind = 'put'");
  break_journal("DELETE");
  open();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(error_of([&] { latest(*store_, "t"); }));
  mend_journal();
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(2));
  EXPECT_EQ(metric("threadkeep_journal_entries"), 2) << "what it builds on, and itself";
  trouble_.away = false;
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_EQ(metric("threadkeep_journal_entries"), 0);
  EXPECT_EQ(metric("threadkeep_journal_bytes"), 0);
  EXPECT_EQ(ids_of(*threadkeep::open(primary_), "t"), ids_to(2));
}

TEST_F(Troubles, of_a_journal_that_takes_nothing_leave_its_room_free) {
  auto small = options();
  small.journal_bytes = 4000;
  open(small);
  make_cached("t");
  break_journal("INSERT");
  trouble_.away = true;
  for (int i = 0; i < 50; ++i) {
    const auto error = error_of([&] { put(step("t", 2)); });
    ASSERT_TRUE(error);
    EXPECT_NE(error->native(), "journal_full") << error->what();
  }
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(1)) << "what was not accepted is not shown";
  mend_journal();
  put(step("t", 2));
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(2));
}

TEST_F(Troubles, of_a_full_journal_end_with_the_outage) {
  auto small = options();
  small.journal_bytes = 4000;
  open(small);
  make_cached("t");
  const auto fill = [&](int from) {
    for (int number = from; number < from + 100; ++number) {
      const auto error = error_of([&] { put(step("t", number)); });
      if (!error) continue;
      EXPECT_EQ(error->code(), Code::unavailable);
      EXPECT_EQ(error->native(), "journal_full") << error->what();
      return number;
    }
    ADD_FAILURE() << "it takes everything";
    return from;
  };
  trouble_.away = true;
  const int first = fill(2);
  trouble_.away = false;
  EXPECT_TRUE(is_healthy(*store_));
  ASSERT_TRUE(latest(*store_, "t"));
  trouble_.away = true;
  EXPECT_EQ(fill(first) - first, first - 2) << "as much as the first time";
}

TEST_F(Troubles, of_an_unknown_deletion_leave_nothing_of_the_thread_to_be_served) {
  for (const auto* thread_id : {"t", "pruned", "copied", "u"}) make_cached(thread_id);
  trouble_.forgets = true;
  for (const Mutation& mutation :
       std::vector<Mutation>{DeleteThread{"t"}, Prune{"pruned"}, CopyThread{"u", "copied"}}) {
    EXPECT_EQ(code_of([&] { put(mutation); }), Code::outcome_unknown);
  }
  trouble_.away = true;
  for (const auto* thread_id : {"t", "pruned", "copied"}) {
    EXPECT_EQ(code_of([&] { latest(*store_, thread_id); }), Code::unavailable) << thread_id;
  }
  EXPECT_EQ(latest(*store_, "u")->checkpoint_id, id_of(1));
}

TEST_F(Troubles, of_unknown_deletions_by_run_leave_nothing_to_be_served) {
  make_cached("t");
  trouble_.forgets = true;
  EXPECT_EQ(code_of([&] { put(DeleteRuns{{"run"}}); }), Code::outcome_unknown);
  trouble_.away = true;
  EXPECT_EQ(code_of([&] { latest(*store_, "t"); }), Code::unavailable);
}

/// The store refuses "2" of "t" for good, and with it "3".
class SetAside : public Troubles {
 protected:
  SetAside() {
    make_cached("t");
    trouble_.away = true;
    put(step("t", 2));
    put(step("t", 3));
    trouble_.bad_step = 2;
    trouble_.away = false;
    EXPECT_TRUE(comes_true([&] { return log_.count("fallback_set_aside") == 2; }));
    EXPECT_EQ(ids_of(*plain_, "t"), ids_to(1));
  }
  Code code_of_what_builds_on_it() {
    return code_of([&] { put(step("t", 4)); });
  }

  const std::shared_ptr<Store> plain_ = threadkeep::open(primary_);
};

TEST_F(SetAside, is_known_to_the_next_process) {
  EXPECT_EQ(code_of_what_builds_on_it(), Code::conflict);
  open();
  EXPECT_EQ(code_of_what_builds_on_it(), Code::conflict);
  EXPECT_EQ(metric("threadkeep_fallback_set_aside"), 2);
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(1));
  put(Draft("t", "000002b").parent(id_of(1)).value("text", "b", "b"));
}

TEST_F(SetAside, is_known_of_threads_that_were_not_used_of_late) {
  auto small = options();
  small.cache_bytes = 5000;
  open(small);
  for (int i = 0; i < 20; ++i) make_cached(std::to_string(i));
  EXPECT_EQ(code_of_what_builds_on_it(), Code::conflict);
  for (int i = 0; i < 20; ++i) latest(*store_, std::to_string(i));
  trouble_.away = true;
  EXPECT_EQ(code_of_what_builds_on_it(), Code::conflict) << "nor in an outage";
}

TEST_F(SetAside, is_over_when_an_operator_drops_it) {
  EXPECT_TRUE(store_->ping(Call()).degraded);
  const auto other = Registry::builtin().open(journal());
  std::vector<std::int64_t> seqs;
  for (const auto& item : other->journal()->set_aside_entries(0, 1 << 20, Call())) {
    seqs.push_back(item.entry.seq);
  }
  ASSERT_EQ(seqs.size(), 2U);
  other->journal()->drop_set_aside(seqs, Call());
  EXPECT_FALSE(store_->ping(Call()).degraded);
  EXPECT_EQ(metric("threadkeep_fallback_set_aside"), 0);
  EXPECT_EQ(code_of_what_builds_on_it(), Code::conflict) << "until this process ends";
  open();
  put(step("t", 4));
}

TEST_F(SetAside, is_no_hindrance_where_the_store_has_it_after_all) {
  plain_->write(step("t", 2), Call());
  EXPECT_EQ(latest(*store_, "t")->checkpoint_id, id_of(2));
  put(Draft("t", "000003b").parent(id_of(2)).value("text", "b", "b"));
}

TEST_F(Troubles, of_one_thread_hide_numbers_that_leave_it_out) {
  make_cached("t");
  EXPECT_FALSE(error_of([&] { store_->stats({}, Call()); }));
  trouble_.away = true;
  put(step("t", 2));
  trouble_.refuses = true;
  trouble_.away = false;
  EXPECT_TRUE(comes_true([&] { return log_.count("fallback_replay_began") > 0; }));
  EXPECT_EQ(code_of([&] { store_->stats({}, Call()); }), Code::unavailable);
  trouble_.refuses = false;
  EXPECT_TRUE(is_healthy(*store_));
  EXPECT_FALSE(error_of([&] { store_->stats({}, Call()); }));
}

}  // namespace
}  // namespace threadkeep::fallback_test
