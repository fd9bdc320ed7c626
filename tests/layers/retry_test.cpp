// SPDX-License-Identifier: Apache-2.0
// Retries over the memory store behind a connection that gets lost: what is sent again, and that a
// caller cannot tell the difference.
#include "layers/retry.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <thread>

#include "layers/forwarding_backend.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_MEMORY
namespace threadkeep {
namespace {

using namespace std::chrono_literals;
using testing::Draft;

enum class Fault {
  none,
  before,     // nothing arrives
  after,      // all is carried out, and the answer gets lost
  first_only  // the first of the batch fails, the others are carried out
};

template <class List>
List list_of(std::string thread_id) {
  List list;
  list.thread_id = std::move(thread_id);
  return list;
}

// What happens to the next calls of a store, and what arrived there.
struct Line {
  std::deque<Fault> faults;
  std::vector<std::size_t> batches;  // their sizes
  int reads = 0;
  std::function<void()> between;  // runs after a fault

  Fault next() {
    if (faults.empty()) return Fault::none;
    const Fault fault = faults.front();
    faults.pop_front();
    return fault;
  }
};

class FaultyBackend final : public ForwardingBackend {
 public:
  FaultyBackend(std::unique_ptr<Backend> inner, Line& line)
      : ForwardingBackend(std::move(inner)), line_(line) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    line_.batches.push_back(batch.size());
    const Fault fault = line_.next();
    std::vector<Outcome> outcomes;
    if (fault == Fault::first_only) {
      outcomes = inner().apply(batch.subspan(1), call);
      outcomes.insert(outcomes.begin(), {{}, Error(Code::unavailable, "lost")});
    } else if (fault != Fault::before) {
      outcomes = inner().apply(batch, call);
    }
    if (fault != Fault::none && line_.between) line_.between();
    if (fault == Fault::before) throw Error(Code::unavailable, "lost");
    if (fault == Fault::after) {
      for (Outcome& outcome : outcomes) outcome = {{}, Error(Code::outcome_unknown, "lost")};
    }
    return outcomes;
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    ++line_.reads;
    if (line_.next() != Fault::none) throw Error(Code::unavailable, "lost");
    return inner().state(query, call);
  }

 private:
  Line& line_;
};

class Retries : public ::testing::Test {
 protected:
  void open(RetryOptions options) {
    auto memory = Registry::builtin().open("memory:");
    direct_ = memory.get();
    store_ = std::make_unique<RetryLayer>(std::make_unique<FaultyBackend>(std::move(memory), line_),
                                          options, "test", std::make_shared<Metrics>());
  }
  void SetUp() override { open({.tries = 3, .first = 0ms}); }

  Outcome write(Mutation mutation, const Call& call = Call()) {
    return store_->apply({&mutation, 1}, call).at(0);
  }
  std::string ending(Mutation mutation) {
    const Outcome outcome = write(std::move(mutation));
    return outcome.error ? std::string(to_string(outcome.error->code())) : "done";
  }
  std::string value(const std::string& key) {
    const auto document = direct_->state({StateScope::of_thread("t"), key}, Call());
    return document ? document->value + " at " + std::to_string(document->version) : "absent";
  }
  static Mutation put_state(std::string value, std::optional<std::int64_t> expected) {
    return ChangeState{StateScope::of_thread("t"),
                       {{"k", StateChange::Kind::put, std::move(value), expected}}};
  }

  Line line_;
  Backend* direct_ = nullptr;
  std::unique_ptr<Backend> store_;
};

TEST_F(Retries, of_reads_end_with_the_answer) {
  line_.faults = {Fault::before, Fault::before};
  EXPECT_FALSE(store_->state({StateScope::named("n"), "k"}, Call()));
  EXPECT_EQ(line_.reads, 3);
  line_.faults = {Fault::before, Fault::before, Fault::before};
  EXPECT_THROW(store_->state({StateScope::named("n"), "k"}, Call()), Error);
  EXPECT_EQ(line_.reads, 6);
}

TEST_F(Retries, send_only_what_failed) {
  line_.faults = {Fault::first_only};
  const std::vector<Mutation> batch = {PutThread{"a", "{}"}, PutThread{"b", "{}"},
                                       PutThread{"c", "{}"}};
  for (const Outcome& outcome : store_->apply(batch, Call())) EXPECT_FALSE(outcome.error);
  EXPECT_EQ(line_.batches, (std::vector<std::size_t>{3, 1}));
  EXPECT_TRUE(direct_->thread({"a"}, Call()));
}

TEST_F(Retries, overtake_nothing_of_their_lane) {
  line_.faults = {Fault::first_only};
  const std::vector<Mutation> batch = {PutThread{"a", "{\"n\":1}"}, PutThread{"a", "{\"n\":2}"}};
  const auto outcomes = store_->apply(batch, Call());
  EXPECT_EQ(outcomes.at(0).error->code(), Code::unavailable);
  EXPECT_FALSE(outcomes.at(1).error);
  EXPECT_EQ(line_.batches, std::vector<std::size_t>{2});
  EXPECT_EQ(direct_->thread({"a"}, Call())->metadata, "{\"n\":2}");
}

TEST_F(Retries, of_a_change_that_did_not_arrive_carry_it_out_once) {
  line_.faults = {Fault::before};
  EXPECT_EQ(ending(put_state("1", 0)), "done");
  EXPECT_EQ(line_.reads, 0) << "nothing was done for certain";
  EXPECT_EQ(value("k"), "1 at 1");
}

// Another caller may have made the same of the same version; a counter would lose one.
TEST_F(Retries, of_a_change_that_may_be_of_another_say_so_and_send_nothing) {
  line_.faults = {Fault::after};
  EXPECT_EQ(ending(put_state("1", 0)), "outcome_unknown");
  EXPECT_EQ(line_.reads, 1);
  EXPECT_EQ(line_.batches.size(), 1U);
  EXPECT_EQ(value("k"), "1 at 1");
}

TEST_F(Retries, of_a_change_that_lost_against_another_end_with_the_conflict) {
  line_.faults = {Fault::before};
  line_.between = [&] {
    const Mutation other = put_state("7", 0);
    direct_->apply({&other, 1}, Call());
  };
  EXPECT_EQ(ending(put_state("1", 0)), "conflict");
  EXPECT_EQ(value("k"), "7 at 1");
}

TEST_F(Retries, of_a_change_look_again_when_the_look_up_fails) {
  line_.faults = {Fault::after, Fault::before};
  EXPECT_EQ(ending(put_state("1", 0)), "outcome_unknown");
  EXPECT_EQ(line_.reads, 2);
  EXPECT_EQ(line_.batches.size(), 1U);
  line_.faults = {Fault::after, Fault::before, Fault::before};
  EXPECT_EQ(ending(put_state("2", 1)), "outcome_unknown");
  EXPECT_EQ(line_.batches.size(), 2U) << "it is never sent unseen";
}

// The first sending arrives between the look and the second one.
TEST_F(Retries, of_a_change_doubt_a_conflict_that_they_may_have_met_themselves) {
  class Late final : public ForwardingBackend {
   public:
    using ForwardingBackend::ForwardingBackend;
    std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
      if (sent_++ == 0) return {{{}, Error(Code::outcome_unknown, "under way")}};
      inner().apply(batch, call);  // the first one, late
      return inner().apply(batch, call);
    }

   private:
    int sent_ = 0;
  };
  RetryLayer store(std::make_unique<Late>(Registry::builtin().open("memory:")), {.first = 0ms},
                   "test", std::make_shared<Metrics>());
  const Mutation change = put_state("1", 0);
  const auto outcome = store.apply({&change, 1}, Call()).at(0);
  EXPECT_EQ(outcome.error->code(), Code::outcome_unknown) << outcome.error->what();
  EXPECT_EQ(store.state({StateScope::of_thread("t"), "k"}, Call())->version, 1);
}

// Its first copy could come after the second one was acknowledged and the caller went on.
TEST_F(Retries, of_a_change_without_a_demand_are_none_once_it_may_be_done) {
  line_.faults = {Fault::before};
  EXPECT_EQ(ending(put_state("1", {})), "done");
  line_.faults = {Fault::after};
  EXPECT_EQ(ending(put_state("2", {})), "outcome_unknown");
  line_.faults = {Fault::after};
  EXPECT_EQ(ending(DeleteThread{"t"}), "outcome_unknown");
  EXPECT_EQ(line_.batches.size(), 4U);
}

TEST_F(Retries, of_a_pop_without_a_name_are_none_once_it_may_be_done) {
  const Mutation messages =
      AppendMessages{"t", "", {{"1", "user", "1"}, {"2", "user", "2"}}, {}, "", {}};
  direct_->apply({&messages, 1}, Call());
  line_.faults = {Fault::after};
  EXPECT_EQ(ending(PopMessages{"t", "", 1, ""}), "outcome_unknown");
  EXPECT_EQ(direct_->count_messages(list_of<MessageList>("t"), Call()), 1U);
  line_.faults = {Fault::before};
  EXPECT_EQ(ending(PopMessages{"t", "", 1, ""}), "done");
}

TEST_F(Retries, stop_waiting_when_their_caller_does) {
  open({.tries = 3, .first = 1h, .longest = 1h});
  std::stop_source stop;
  line_.faults = {Fault::before, Fault::before};
  line_.between = [&] { stop.request_stop(); };
  EXPECT_EQ(write(PutThread{"t", "{}"}, {Deadline::never(), stop.get_token()}).error->code(),
            Code::unavailable);
  EXPECT_EQ(line_.batches.size(), 1U);
}

TEST_F(Retries, are_stopped_while_they_wait) {
  open({.tries = 3, .first = 24h, .longest = 24h});
  std::stop_source stop;
  line_.faults = {Fault::before, Fault::before};
  std::jthread stopper;
  line_.between = [&] { stopper = std::jthread([&] { stop.request_stop(); }); };
  EXPECT_TRUE(write(PutThread{"t", "{}"}, {Deadline::never(), stop.get_token()}).error);
}

// The same calls on a store that never fails: their ends and what is stored are equal. They are of
// the kinds that can be repeated.
class RetriesOfManyCalls : public Retries, public ::testing::WithParamInterface<unsigned> {
 protected:
  // At most five faults follow each other.
  void disturb(std::size_t calls) {
    for (std::size_t i = 0; i < calls; ++i) {
      const auto count = random_() % 6;
      for (unsigned n = 0; n < count; ++n) {
        line_.faults.push_back(random_() % 2 == 0 ? Fault::before : Fault::after);
      }
      line_.faults.push_back(Fault::none);
    }
  }

  std::string thread() { return std::string(1, static_cast<char>('a' + random_() % 3)); }
  std::string number(unsigned most) { return std::to_string(random_() % most); }

  Mutation any(int i) {
    const std::string id = thread() + std::to_string(i);
    switch (random_() % 7) {
      case 0:
        return static_cast<PutCheckpoint>(
            Draft(thread(), "c" + number(8)).parent("c" + number(8)).require_latest_parent());
      case 1:
        return static_cast<PutCheckpoint>(Draft(thread(), "c" + number(8)).value("x", id, id));
      case 2:
        return AppendMessages{thread(),
                              "",
                              {{id, "user", "1"}},
                              {{"n", StateChange::Kind::put, std::to_string(i), 0}},
                              "s" + id,
                              {}};
      case 3:
        return AppendMessages{thread(), "", {{id, "user", "1"}}, {}, "a" + id, random_() % 4};
      case 4:
        return PopMessages{thread(), "", 1, "p" + id};
      default:
        return PutWrites{
            thread(), "", "c" + number(8), {{"task" + id, 0, "x", "", "text", Bytes(id)}}};
    }
  }

  static std::string text_of(const Outcome& outcome) {
    return outcome.error ? outcome.error->what() : "done";
  }
  static std::string text_of(Backend& store) {
    std::string text;
    for (const std::string id : {"a", "b", "c"}) {
      for (const auto& tuple : store.list(list_of<CheckpointList>(id), Call()).items) {
        text += tuple.checkpoint_id + tuple.parent_checkpoint_id.value_or("-") + tuple.document;
      }
      for (const auto& message : store.messages(list_of<MessageList>(id), Call()).items) {
        text += message.id + std::to_string(message.seq);
      }
      StateList state;
      state.scope = StateScope::of_thread(id);
      for (const auto& document : store.states(state, Call()).items) {
        text += document.key + document.value + std::to_string(document.version);
      }
      const auto info = store.thread({id}, Call());
      if (info) text += info->metadata + std::to_string(info->revision);
      text += "\n";
    }
    return text;
  }

  std::mt19937 random_{GetParam()};
};

TEST_P(RetriesOfManyCalls, cannot_be_seen) {
  open({.tries = 100, .first = 0ms, .budget = 100});
  const auto expected = Registry::builtin().open("memory:");
  disturb(400);
  int done = 0;
  for (int i = 0; i < 400; ++i) {
    const Mutation mutation = any(i);
    const Outcome outcome = write(mutation);
    const Outcome same = expected->apply({&mutation, 1}, Call()).at(0);
    ASSERT_EQ(text_of(outcome), text_of(same)) << i;
    EXPECT_EQ(outcome.written.messages.size(), same.written.messages.size());
    if (!outcome.error) ++done;
  }
  EXPECT_GT(done, 200);
  EXPECT_GT(line_.batches.size(), 700U) << "hardly anything was sent again";
  EXPECT_EQ(text_of(*direct_), text_of(*expected));
}

INSTANTIATE_TEST_SUITE_P(, RetriesOfManyCalls, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace threadkeep
#endif
