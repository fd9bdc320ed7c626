// SPDX-License-Identifier: Apache-2.0
// A cached checkpoint is used as long as it is what the durable store would return, whoever writes.
#include <functional>
#include <random>
#include <utility>

#include "tiered_fixture.hpp"

namespace threadkeep::tiered_test {
namespace {

class TieredCheckHead : public TieredFixture {
 protected:
  TieredCheckHead() {
    apply(*durable_, PutCheckpoint(Draft("t", "1").value("a", "1", "one").metadata(R"({"n": 1})")));
    apply(*durable_,
          writes_for("t", "1", {pending("task", 0, "a", "w"), pending("task", -1, "x", "s")}));
    warm_up();
  }

  void warm_up() {
    read(*tiered_, "t");
    warm(tiered_);
  }
  // After a change that the store knows nothing of.
  void expect_noticed() {
    const auto stale = tiered_.reads("stale");
    EXPECT_EQ(read(*tiered_, "t"), read(*durable_, "t"));
    EXPECT_EQ(tiered_.reads("stale"), stale + 1);
    tiered_->drain(Call());
    if (read(*durable_, "t") != "-") warm(tiered_);
    EXPECT_EQ(read(*tiered_, "t"), read(*durable_, "t"));
  }

  Opened tiered_ = open();
};

TEST_F(TieredCheckHead, reads_what_is_unchanged_from_Redis) {
  const auto before = read(*durable_, "t");
  raw_.run("UPDATE checkpoint_blobs SET blob = 'two'");  // by which one sees where it comes from
  EXPECT_EQ(read(*tiered_, "t"), before);
  EXPECT_NE(read(*durable_, "t"), before);
}

TEST_F(TieredCheckHead, sees_a_new_checkpoint_of_another_program) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint) "
      "VALUES ('t', '2', '1', '{\"channel_versions\": {\"a\": \"1\"}}')");
  expect_noticed();
  EXPECT_EQ(id_of(*tiered_, "t"), "2");
}

TEST_F(TieredCheckHead, sees_a_checkpoint_that_another_program_replaced) {
  raw_.run("UPDATE checkpoints SET metadata = '{\"n\": 2}'");
  expect_noticed();
}

TEST_F(TieredCheckHead, sees_writes_of_another_program) {
  raw_.run(
      "INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, type, blob) "
      "VALUES ('t', '1', 'other', 0, 'a', 'text', 'x')");
  expect_noticed();
  raw_.run("UPDATE checkpoint_writes SET blob = 'changed' WHERE idx < 0");
  expect_noticed();
  raw_.run("DELETE FROM checkpoint_writes WHERE task_id = 'other'");
  expect_noticed();
}

// The number of writes stays, and so does the greatest of their transactions.
TEST_F(TieredCheckHead, sees_a_special_write_that_an_older_transaction_replaced) {
  RawDatabase older(schema_.url());
  older.run("BEGIN; SELECT txid_current()");
  apply(*durable_, writes_for("t", "1", {pending("newer", 0, "a", "n")}));
  expect_noticed();
  older.run("UPDATE checkpoint_writes SET blob = 'older' WHERE idx < 0; COMMIT");
  expect_noticed();
}

TEST_F(TieredCheckHead, sees_a_thread_that_was_deleted_and_made_anew) {
  const auto before = read(*tiered_, "t");
  raw_.run("DELETE FROM checkpoint_writes; DELETE FROM checkpoint_blobs; DELETE FROM checkpoints");
  expect_noticed();
  EXPECT_EQ(read(*tiered_, "t"), "-");
  raw_.run(
      "INSERT INTO checkpoint_blobs VALUES ('t', '', 'a', '1', 'text', 'another one');"
      "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) "
      "VALUES ('t', '1', '{\"channel_versions\": {\"a\": \"1\"}}')");
  EXPECT_NE(read(*tiered_, "t"), before);
  EXPECT_EQ(read(*tiered_, "t"), read(*durable_, "t"));
}

TEST_F(TieredCheckHead, removes_a_thread_that_is_deleted_from_Redis_too) {
  ASSERT_NE(entry(), "");
  apply(*tiered_, DeleteThread{"t"});
  EXPECT_EQ(entry(), "");
  tiered_->drain(Call());
  EXPECT_EQ(entry(), "");
  EXPECT_EQ(read(*tiered_, "t"), "-");
}

TEST_F(TieredCheckHead, sees_what_runs_and_sweeps_delete) {
  apply(*durable_, PutCheckpoint(Draft("t", "2").parent("1").metadata(R"({"run_id": "r"})")));
  expect_noticed();
  apply(*tiered_, DeleteRuns{{"r"}});
  expect_noticed();
  EXPECT_EQ(id_of(*tiered_, "t"), "1");
}

TEST_F(TieredCheckHead, reads_its_own_writes_before_and_after_they_are_in_Redis) {
  for (int i = 2; i < 20; ++i) {
    apply(*tiered_, PutCheckpoint(Draft("t", std::to_string(100 + i)).carries("a", "1")));
    EXPECT_EQ(id_of(*tiered_, "t"), std::to_string(100 + i));
    if (i % 2 == 0) warm(tiered_);
  }
}

TEST_F(TieredCheckHead, takes_no_damaged_entry) {
  const auto name = entry();
  const auto expected = read(*durable_, "t");
  for (const std::string damaged :
       {"", "x", "\x01", "\x02 another form", "garbage of some length"}) {
    RedisServer::shared().run({"SET", name, damaged});
    EXPECT_EQ(read(*tiered_, "t"), expected);
    warm(tiered_);
  }
  RedisServer::shared().run({"SETRANGE", name, "40", "?"});
  EXPECT_EQ(read(*tiered_, "t"), expected);
  tiered_->drain(Call());
  RedisServer::shared().run({"DEL", name});
  RedisServer::shared().run({"LPUSH", name, "of another type"});
  EXPECT_EQ(read(*tiered_, "t"), expected);
}

TEST_F(TieredCheckHead, takes_no_entry_of_another_thread_or_store) {
  const auto name = entry();
  apply(*tiered_, PutCheckpoint(Draft("u", "1").value("a", "1", "of u")));
  tiered_->drain(Call());
  const auto other = name.substr(0, name.size() - 1) + "u";
  RedisServer::shared().run({"COPY", name, other, "REPLACE"});
  EXPECT_EQ(read(*tiered_, "u"), read(*durable_, "u"));

  const Schema another;
  auto neighbour = open_tiered(another.url(), hot_url(), TieredCheck::put);
  EXPECT_EQ(read(*neighbour, "t"), "-");
}

TEST_F(TieredCheckHead, leaves_all_else_to_Postgres) {
  apply(*tiered_, PutCheckpoint(Draft("t", "1").ns("child").value("a", "1", "below")));
  const auto hits = tiered_.reads("hit");
  EXPECT_EQ(text_of(tiered_->get(latest("t", "child"), Call())),
            text_of(durable_->get(latest("t", "child"), Call())));
  const CheckpointQuery first{"t", "", "1", {}};
  EXPECT_EQ(text_of(tiered_->get(first, Call())), text_of(durable_->get(first, Call())));
  EXPECT_EQ(tiered_->list({}, Call()).items.size(), 2U);
  EXPECT_EQ(tiered_.reads("hit"), hits);
  EXPECT_NE(tiered_->sql(), nullptr);
}

using Change = std::function<void(Backend&)>;

// By this store, by Postgres alone, or by another tiered store; compared after each, and once more
// when all was copied.
TEST_F(TieredCheckHead, agrees_with_Postgres_after_every_change) {
  std::mt19937 random(7);
  const auto pick = [&](unsigned many) { return static_cast<int>(random() % many); };
  Opened other = open();
  for (int step = 0; step < 400; ++step) {
    const std::string thread_id = "p" + std::to_string(pick(3));
    const std::string id = padded(pick(5));
    const std::vector<Change> changes{
        [&](Backend& b) {
          apply(b, PutCheckpoint(
                       Draft(thread_id, id)
                           .value("a", std::to_string(pick(3)), "v" + std::to_string(step))));
        },
        [&](Backend& b) { apply(b, PutCheckpoint(Draft(thread_id, id).carries("a", "1"))); },
        [&](Backend& b) {
          apply(b,
                writes_for(thread_id, id, {pending("k", pick(3) - 2, "a", std::to_string(step))}));
        },
        [&](Backend& b) { apply(b, DeleteThread{thread_id}); },
        [&](Backend& b) { apply(b, Prune{thread_id}); },
    };
    const std::vector<Backend*> writers{&*tiered_, &*other, durable_.get()};
    // A value that comes after its checkpoint is seen by the store that put it.
    const int change = pick(5);
    Backend& writer = change == 0 ? *tiered_ : *writers[pick(3)];
    try {
      changes[change](writer);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Code::conflict) << error.what();  // below a tombstone
    }
    ASSERT_EQ(read(*tiered_, thread_id), read(*durable_, thread_id)) << "step " << step;
    tiered_->drain(Call());
    other->drain(Call());
    ASSERT_EQ(read(*tiered_, thread_id), read(*durable_, thread_id)) << "step " << step;
  }
  EXPECT_GT(tiered_.reads("hit"), 100U);
  EXPECT_GT(tiered_.reads("stale"), 20U);
}

/// Something happens after the next get.
class Interrupted final : public ForwardingBackend {
 public:
  using ForwardingBackend::ForwardingBackend;

  void after_get(std::function<void()> event) { event_ = std::move(event); }
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    auto tuple = inner().get(query, call);
    if (event_) std::exchange(event_, nullptr)();
    return tuple;
  }

 private:
  std::function<void()> event_;
};

class TieredCheckPut : public TieredFixture {
 protected:
  TieredCheckPut() {
    apply(*tiered_, PutCheckpoint(Draft("t", "1").value("a", "1", "one")));
    warm(tiered_);
  }

  Opened tiered_ = open(TieredCheck::put);
};

TEST_F(TieredCheckPut, reads_without_asking_Postgres) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) VALUES ('t', '2', '{}')");
  EXPECT_EQ(id_of(*tiered_, "t"), "1");
}

// As two machines do whose URL names a server of their own.
TEST_F(TieredCheckPut, takes_no_entry_of_another_database_with_the_same_url) {
  const Schema another;
  TieredOptions options;
  options.check = TieredCheck::put;
  options.durable_name = Url::parse(schema_.url()).redacted();
  TieredBackend neighbour(Registry::builtin().open(another.url()),
                          Registry::builtin().open(hot_url()), options);
  neighbour.setup(Call());
  EXPECT_EQ(read(neighbour, "t"), "-");
  apply(neighbour, PutCheckpoint(Draft("u", "1").value("a", "1", "of another")));
  neighbour.drain(Call());
  EXPECT_EQ(id_of(neighbour, "u"), "1");
  EXPECT_EQ(read(*tiered_, "u"), "-");
}

TEST_F(TieredCheckPut, refuses_to_go_on_from_an_old_state_and_then_reads_the_new_one) {
  apply(*durable_, PutCheckpoint(Draft("t", "2").parent("1").carries("a", "1")));
  ASSERT_EQ(id_of(*tiered_, "t"), "1");
  const auto error = must_fail(
      [&] { apply(*tiered_, PutCheckpoint(Draft("t", "3").parent("1").carries("a", "1"))); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_EQ(id_of(*tiered_, "t"), "2");
  tiered_->drain(Call());
  EXPECT_EQ(id_of(*open(TieredCheck::put), "t"), "2");
  apply(*tiered_, PutCheckpoint(Draft("t", "3").parent("2").carries("a", "1")));
  EXPECT_EQ(id_of(*tiered_, "t"), "3");
}

TEST_F(TieredCheckPut, takes_a_put_again) {
  const PutCheckpoint put = Draft("t", "2").parent("1").carries("a", "1");
  apply(*tiered_, put);
  apply(*tiered_, put);
  EXPECT_EQ(id_of(*tiered_, "t"), "2");
}

TEST_F(TieredCheckPut, reads_its_own_writes) {
  for (int i = 2; i < 30; ++i) {
    apply(*tiered_, PutCheckpoint(Draft("t", std::to_string(100 + i))
                                      .parent(i == 2 ? "1" : std::to_string(99 + i))
                                      .carries("a", "1")));
    EXPECT_EQ(id_of(*tiered_, "t"), std::to_string(100 + i));
    if (i % 3 == 0) warm(tiered_);
  }
}

// A copy that was read before a put, and stored after the copy of what was put.
TEST_F(TieredCheckPut, leaves_no_copy_that_came_too_late) {
  RedisServer::shared().run({"DEL", entry()});
  apply(*durable_, PutCheckpoint(Draft("other", "1").value("a", "1", "one")));
  const auto reader = open(TieredCheck::put);
  read(*reader, "other");  // its first look at Postgres
  auto durable = std::make_unique<Interrupted>(Registry::builtin().open(schema_.url()));
  durable->after_get([&] {
    apply(*tiered_, PutCheckpoint(Draft("t", "2").parent("1").carries("a", "1")));
    tiered_->drain(Call());
    ASSERT_EQ(id_of(*reader, "t"), "2");
  });
  TieredOptions options;
  options.check = TieredCheck::put;
  options.durable_name = Url::parse(schema_.url()).redacted();
  options.refresh.retry = std::chrono::milliseconds(1);
  TieredBackend late(std::move(durable), Registry::builtin().open(hot_url()), options);
  EXPECT_EQ(id_of(late, "t"), "1");
  late.drain(Call());
  EXPECT_EQ(id_of(*reader, "t"), "2");
}

TEST_F(TieredCheckPut, finds_no_thread_that_was_deleted) {
  apply(*tiered_, DeleteThread{"t"});
  EXPECT_EQ(read(*tiered_, "t"), "-");
  EXPECT_EQ(read(*open(TieredCheck::put), "t"), "-");
}

}  // namespace
}  // namespace threadkeep::tiered_test
