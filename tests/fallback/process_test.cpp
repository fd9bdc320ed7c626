// SPDX-License-Identifier: Apache-2.0
// Processes with journals of their own, which are killed, and which replay beside each other.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <future>

#include "fallback/support.hpp"
#include "processes.hpp"

namespace threadkeep::fallback_test {
namespace {

using postgres_test::Child;
using postgres_test::require;
using postgres_test::SharedFlag;

constexpr int lanes = 3;

// A file to which numbers of lanes are only added, after they were acknowledged.
class Ledger {
 public:
  explicit Ledger(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    require(file_ >= 0, "open the ledger");
  }
  ~Ledger() { close(file_); }
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  void acknowledged(int lane, int number) {
    const std::array<int, 2> entry{lane, number};
    require(write(file_, entry.data(), sizeof entry) == sizeof entry, "write to the ledger");
  }
  std::array<int, lanes> last() const {
    std::array<int, lanes> last{};
    std::array<int, 2> entry{};
    for (off_t at = 0; pread(file_, entry.data(), sizeof entry, at) == sizeof entry;
         at += sizeof entry) {
      last.at(static_cast<std::size_t>(entry[0])) = entry[1];
    }
    return last;
  }

 private:
  int file_;
};

std::string name_of(const std::string& who, int lane) {
  return who + std::to_string(lane);
}

bool is_outage(const Error& error) {
  return error.code() == Code::unavailable || error.code() == Code::outcome_unknown;
}

class Processes : public ::testing::Test {
 protected:
  Processes() { open(server_->url())->setup(Call()); }

  std::string journal(const std::string& who) const {
    return "sqlite:" + (directory_.path() / (who + ".db")).string();
  }

  // Each lane goes on from checkpoint to checkpoint, in spite of all.
  void write_until_told(Store& store, Ledger& ledger, const std::string& who, int lane) {
    const std::string thread_id = name_of(who, lane);
    for (int number = 1; !stop_.is_set();) {
      const auto error = error_of([&] {
        store.write(number == 1 ? first_step(thread_id) : step(thread_id, number), Call());
        const auto read = latest(store, thread_id);
        require(read && read->checkpoint_id == id_of(number), "a write is not read back");
      });
      if (error && !is_outage(*error)) throw *error;
      if (error) continue;
      ledger.acknowledged(lane, number);
      ++number;
    }
  }

  void be_writers(const std::string& who) {
    const auto store = open_with_fallback(server_->url(), journal(who));
    Ledger ledger(directory_.path() / who);
    std::vector<std::future<void>> running;
    for (int lane = 0; lane < lanes; ++lane) {
      running.push_back(std::async(std::launch::async,
                                   [&, lane] { write_until_told(*store, ledger, who, lane); }));
    }
    for (auto& thread : running) thread.get();
    require(is_healthy(*store), "the journal is not empty in the end");
  }

  bool writes_more(const Ledger& ledger, int more) {
    const auto before = ledger.last();
    return comes_true([&] {
      const auto now = ledger.last();
      bool all = true;
      for (std::size_t i = 0; i < now.size(); ++i) all &= now.at(i) >= before.at(i) + more;
      return all;
    });
  }

  // Once and in order; one more may be there, whose end nobody saw.
  void expect_stored(const std::string& who) {
    const auto store = open(server_->url());
    const auto last = Ledger(directory_.path() / who).last();
    for (int lane = 0; lane < lanes; ++lane) {
      const int acknowledged = last.at(static_cast<std::size_t>(lane));
      const auto ids = ids_of(*store, name_of(who, lane));
      EXPECT_GE(ids.size(), static_cast<std::size_t>(acknowledged));
      EXPECT_LE(ids.size(), static_cast<std::size_t>(acknowledged) + 1);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        ASSERT_EQ(ids[i], id_of(static_cast<int>(i) + 1));
      }
    }
  }

  std::unique_ptr<Server> server_ = make_postgres();
  testing::TemporaryDirectory directory_;
  SharedFlag stop_;
};

TEST_F(Processes, that_are_killed_in_an_outage_lose_nothing_that_they_acknowledged) {
  Child child([&] { be_writers("one"); });
  const Ledger ledger(directory_.path() / "one");
  ASSERT_TRUE(writes_more(ledger, 5));
  server_->kill();
  ASSERT_TRUE(writes_more(ledger, 30));
  child.kill();
  const auto last = ledger.last();
  // Another process goes on with the journal while the server is still away.
  SharedFlag knows;
  Child next([&] {
    const auto store = open_with_fallback(server_->url(), journal("one"));
    for (int lane = 0; lane < lanes; ++lane) {
      const auto read = latest(*store, name_of("one", lane));
      const int acknowledged = last.at(static_cast<std::size_t>(lane));
      require(read && read->checkpoint_id >= id_of(acknowledged), "it knows what came before");
      require(text_of(*read) == read->checkpoint_id, "with its values");
    }
    knows.set();
    require(is_healthy(*store), "it is replayed");
  });
  EXPECT_TRUE(comes_true([&] { return knows.is_set(); }));
  server_->start();
  EXPECT_TRUE(next.succeeded());
  expect_stored("one");
}

TEST_F(Processes, replay_their_journals_at_once) {
  Child one([&] { be_writers("one"); });
  Child two([&] { be_writers("two"); });
  const Ledger first(directory_.path() / "one");
  const Ledger second(directory_.path() / "two");
  ASSERT_TRUE(writes_more(first, 3) && writes_more(second, 3));
  server_->stop();
  ASSERT_TRUE(writes_more(first, 20) && writes_more(second, 20));
  server_->start();
  ASSERT_TRUE(writes_more(first, 5) && writes_more(second, 5));
  stop_.set();
  EXPECT_TRUE(one.succeeded());
  EXPECT_TRUE(two.succeeded());
  expect_stored("one");
  expect_stored("two");
}

TEST_F(Processes, that_went_on_with_one_thread_leave_all_branches) {
  open(server_->url())->write(first_step("t"), Call());
  SharedFlag away;
  const auto go_on = [&](const std::string& who) {
    return [&, who] {
      const auto store = open_with_fallback(server_->url(), journal(who));
      require(latest(*store, "t").has_value(), "the thread is there");
      Ledger(directory_.path() / who).acknowledged(0, 1);
      require(comes_true([&] { return away.is_set(); }), "the server goes away");
      store->write(Draft("t", "2" + who).parent(id_of(1)).value("text", who, who), Call());
      store->write(Draft("t", "3" + who).parent("2" + who).value("text", who + "2", who), Call());
      Ledger(directory_.path() / who).acknowledged(0, 2);
      require(is_healthy(*store), "the journal is not empty in the end");
    };
  };
  Child one(go_on("one"));
  Child two(go_on("two"));
  const auto at = [&](const std::string& who, int number) {
    return comes_true([&] { return Ledger(directory_.path() / who).last()[0] >= number; });
  };
  ASSERT_TRUE(at("one", 1) && at("two", 1));
  server_->stop();
  away.set();
  ASSERT_TRUE(at("one", 2) && at("two", 2));
  server_->start();
  EXPECT_TRUE(one.succeeded());
  EXPECT_TRUE(two.succeeded());
  EXPECT_EQ(ids_of(*open(server_->url()), "t"),
            (std::vector<std::string>{id_of(1), "2one", "2two", "3one", "3two"}));
}

TEST_F(Processes, do_not_share_a_journal) {
  const auto store = open_with_fallback(server_->url(), journal("one"));
  EXPECT_FALSE(latest(*store, "t"));
  Child other([&] {
    const auto second = open_with_fallback(server_->url(), journal("one"));
    const auto error = error_of([&] { latest(*second, "t"); });
    require(error && error->code() == Code::unavailable, "it is refused");
    require(error->message().find(std::to_string(getppid())) != std::string::npos, "by whom");
  });
  EXPECT_TRUE(other.succeeded());
  const auto same = open_with_fallback(server_->url(), journal("one"));
  EXPECT_EQ(code_of([&] { latest(*same, "t"); }), Code::unavailable);
  EXPECT_FALSE(latest(*store, "t"));
}

}  // namespace
}  // namespace threadkeep::fallback_test
