// SPDX-License-Identifier: Apache-2.0
// Many threads at many lanes, while the server comes and goes.
#include <atomic>
#include <future>
#include <set>

#include "fallback/support.hpp"

namespace threadkeep::fallback_test {
namespace {

constexpr int workers = 16;
constexpr int lanes_of_each = 3;
constexpr int outages = 3;

class Work {
 public:
  Work(Store& store, std::string name) : store_(store), name_(std::move(name)) {}

  // What was acknowledged is read back, by whoever did it.
  void do_one() {
    const int number = last_ + 1;
    store_.write(number == 1 ? first_step(name_) : step(name_, number), Call());
    last_ = number;
    const auto read = latest(store_, name_);
    if (!read || read->checkpoint_id != id_of(last_) || text_of(*read) != id_of(last_)) {
      ADD_FAILURE() << name_ << " does not show " << id_of(last_);
    }
  }
  const std::string& name() const { return name_; }
  int last() const { return last_; }

 private:
  Store& store_;
  const std::string name_;
  int last_ = 0;
};

bool is_outage(const Error& error) {
  return error.code() == Code::unavailable || error.code() == Code::outcome_unknown ||
         error.code() == Code::timeout;
}

class Concurrency : public ::testing::Test {
 protected:
  void work(std::vector<Work>& mine) {
    while (!stop_) {
      for (Work& item : mine) {
        const auto error = error_of([&] { item.do_one(); });
        if (error && !is_outage(*error)) ADD_FAILURE() << error->what();
        if (!error) ++done_;
      }
    }
  }
  bool does_more(int more) {
    const int before = done_;
    return comes_true([&] { return done_ >= before + more; });
  }

  std::unique_ptr<Server> server_ = make_postgres();
  testing::TemporaryDirectory directory_;
  std::atomic<bool> stop_{false};
  std::atomic<int> done_{0};
};

TEST_F(Concurrency, of_many_threads_loses_nothing_over_several_outages) {
  open(server_->url())->setup(Call());
  const auto store =
      open_with_fallback(server_->url(), "sqlite:" + (directory_.path() / "journal.db").string());
  std::vector<std::vector<Work>> all(workers);
  std::vector<std::future<void>> running;
  for (int i = 0; i < workers; ++i) {
    auto& mine = all.at(static_cast<std::size_t>(i));
    for (int lane = 0; lane < lanes_of_each; ++lane) {
      mine.emplace_back(*store, std::to_string(i) + "-" + std::to_string(lane));
    }
    running.push_back(std::async(std::launch::async, [&] { work(mine); }));
  }
  for (int i = 0; i < outages; ++i) {
    EXPECT_TRUE(does_more(200));
    if (i % 2 == 0) {
      server_->kill();
    } else {
      server_->stop();
    }
    EXPECT_TRUE(does_more(200));
    server_->start();
  }
  EXPECT_TRUE(does_more(200));
  stop_ = true;
  for (auto& thread : running) thread.get();
  EXPECT_TRUE(is_healthy(*store));
  const auto other = open(server_->url());
  for (const auto& mine : all) {
    for (const Work& item : mine) {
      const auto ids = ids_of(*other, item.name());
      ASSERT_GE(ids.size(), static_cast<std::size_t>(item.last())) << item.name();
      for (std::size_t i = 0; i < ids.size(); ++i) {
        ASSERT_EQ(ids[i], id_of(static_cast<int>(i) + 1)) << item.name();
      }
    }
  }
}

}  // namespace
}  // namespace threadkeep::fallback_test
