// SPDX-License-Identifier: Apache-2.0
// Every journal keeps what it is given, in order, for one holder.
#include "threadkeep/journal.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include "fallback/support.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::fallback_test {
namespace {

class Journals : public ::testing::TestWithParam<std::string> {
 protected:
  Journals() { open(); }

  void open() {
    store_.reset();
    store_ = Registry::builtin().open(url());
    journal_ = store_->journal();
    journal_->take(Call());
  }
  std::string url() const {
    return GetParam() == "memory" ? "memory:" : "sqlite:" + (directory_.path() / "j.db").string();
  }
  std::int64_t append(const std::vector<std::string>& bodies) {
    std::vector<JournalRecord> records;
    for (const std::string& body : bodies) records.push_back({"lane", "put", Bytes(body)});
    return journal_->append(records, Call());
  }
  std::vector<std::string> read(std::int64_t after = 0, std::size_t max_bytes = 1000) {
    std::vector<std::string> bodies;
    for (const auto& entry : journal_->read(after, max_bytes, Call())) {
      EXPECT_EQ(entry.record.lane, "lane");
      EXPECT_EQ(entry.record.kind, "put");
      bodies.emplace_back(entry.record.body.view());
    }
    return bodies;
  }

  using Bodies = std::vector<std::string>;
  testing::TemporaryDirectory directory_;
  std::unique_ptr<Backend> store_;
  Journal* journal_ = nullptr;
};

TEST_P(Journals, keep_records_in_order_with_numbers_without_gaps) {
  const auto first = append({"a", "b"});
  EXPECT_EQ(append({"c"}), first + 2);
  EXPECT_EQ(read(), (Bodies{"a", "b", "c"}));
  EXPECT_EQ(read(first), (Bodies{"b", "c"}));
  EXPECT_EQ(journal_->sizes(Call()), (JournalSizes{3, 3, 0}));
}

TEST_P(Journals, never_use_a_number_again) {
  const auto first = append({"a"});
  journal_->remove({{first}}, Call());
  EXPECT_EQ(journal_->sizes(Call()), JournalSizes());
  EXPECT_GT(append({"b"}), first);
}

TEST_P(Journals, read_as_much_as_fits_and_at_least_one) {
  append({"12345", "12345", "12345"});
  EXPECT_EQ(read(0, 1).size(), 1U);
  EXPECT_EQ(read(0, 10).size(), 2U);
  EXPECT_EQ(read(0, 14).size(), 2U);
}

TEST_P(Journals, keep_bytes_as_they_are) {
  const std::string body("\0\xff\x80 '\n", 6);
  append({body, ""});
  EXPECT_EQ(read(), (Bodies{body, ""}));
}

TEST_P(Journals, set_entries_aside_with_a_reason) {
  const auto first = append({"a", "b"});
  journal_->set_aside(first, "refused", Call());
  journal_->set_aside(first, "again", Call());
  EXPECT_EQ(read(), Bodies{"b"});
  const auto aside = journal_->set_aside_entries(0, 100, Call());
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_EQ(aside[0].entry.seq, first);
  EXPECT_EQ(aside[0].entry.record.body.view(), "a");
  EXPECT_EQ(aside[0].reason, "refused");
  EXPECT_GT(aside[0].at, 0);
  EXPECT_EQ(journal_->sizes(Call()), (JournalSizes{1, 1, 1}));
}

TEST_P(Journals, drop_what_was_set_aside) {
  const auto first = append({"a", "b", "c"});
  for (int i = 0; i < 2; ++i) journal_->set_aside(first + i, "refused", Call());
  journal_->drop_set_aside(std::vector<std::int64_t>{first, first + 2, 99}, Call());
  const auto aside = journal_->set_aside_entries(0, 100, Call());
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_EQ(aside[0].entry.seq, first + 1);
  EXPECT_EQ(read(), Bodies{"c"}) << "what waits stays";
}

TEST_P(Journals, append_nothing_when_the_time_is_up) {
  const JournalRecord record{"lane", "put", Bytes(std::string("x"))};
  const Call late{Deadline::after(0s), {}};
  EXPECT_EQ(code_of([&] { journal_->append({&record, 1}, late); }), Code::timeout);
  EXPECT_EQ(read(), Bodies());
}

TEST_P(Journals, have_one_holder) {
  const auto error = error_of([&] { journal_->take(Call()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::unavailable);
}

TEST_P(Journals, survive_their_store_where_they_are_durable) {
  append({"a"});
  const bool durable = journal_->durable();
  open();
  EXPECT_EQ(read(), durable ? Bodies{"a"} : Bodies());
  EXPECT_EQ(durable, GetParam() == "sqlite");
}

INSTANTIATE_TEST_SUITE_P(All, Journals, ::testing::Values("memory", "sqlite"),
                         [](const auto& test) { return test.param; });

class SqliteJournals : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> open() const { return Registry::builtin().open(url_); }

  testing::TemporaryDirectory directory_;
  const std::string url_ = "sqlite:" + (directory_.path() / "j.db").string();
};

TEST_F(SqliteJournals, are_taken_by_one_store_and_seen_by_others) {
  const auto holder = open();
  holder->journal()->take(Call());
  const JournalRecord record{"lane", "put", Bytes(std::string("x"))};
  holder->journal()->append({&record, 1}, Call());
  const auto other = open();
  const auto error = error_of([&] { other->journal()->take(Call()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::unavailable);
  EXPECT_NE(error->message().find("process " + std::to_string(getpid())), std::string::npos)
      << error->what();
  EXPECT_EQ(other->journal()->sizes(Call()), (JournalSizes{1, 1, 0}));
}

TEST_F(SqliteJournals, that_were_never_taken_are_empty) {
  const auto store = open();
  EXPECT_EQ(store->journal()->sizes(Call()), JournalSizes());
  EXPECT_TRUE(store->journal()->set_aside_entries(0, 100, Call()).empty());
}

TEST_F(SqliteJournals, are_free_when_their_process_was_killed) {
  const pid_t child = fork();
  if (child == 0) {
    const auto store = open();
    store->journal()->take(Call());
    const JournalRecord record{"lane", "put", Bytes(std::string("x"))};
    store->journal()->append({&record, 1}, Call());
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto store = open();
  store->journal()->take(Call());
  EXPECT_EQ(store->journal()->read(0, 100, Call()).size(), 1U);
}

}  // namespace
}  // namespace threadkeep::fallback_test
