// SPDX-License-Identifier: Apache-2.0
// A store and fork(): locks and connections do not survive it.
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

class Fork : public ::testing::Test {
 protected:
  Fork() { open_here(); }

  void open_here() {
    store_.emplace(open(url_of(file_)));
    store_->put(Draft("t", "1"));
    EXPECT_TRUE(store_->get({"t", "", "1", {}}));
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "store.db";
  std::optional<Checkpointer> store_;
};

void expect_unsupported(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    require(error.code() == Code::unsupported, error.what());
    require(error.message().find("fork") != std::string::npos, error.what());
    return;
  }
  throw std::runtime_error("the call succeeded");
}

TEST_F(Fork, the_child_is_told_to_open_the_store_again) {
  Child child([&] {
    expect_unsupported([&] { store_->get({"t", "", "1", {}}); });
    expect_unsupported([&] { store_->put(Draft("t", "2")); });
    store_.reset();
  });
  EXPECT_TRUE(child.succeeded());
  store_->put(Draft("t", "2"));
  EXPECT_TRUE(store_->get({"t", "", "2", {}}));
}

TEST_F(Fork, the_backend_itself_refuses_the_child_too) {
  const auto backend = Registry::builtin().open(url_of(file_));
  backend->setup(Call());
  Child child([&] {
    expect_unsupported([&] { backend->threads({}, Call()); });
    expect_unsupported([&] { backend->apply(std::vector<Mutation>{Draft("t", "2")}, Call()); });
  });
  EXPECT_TRUE(child.succeeded());
}

TEST_F(Fork, the_child_may_use_a_store_of_its_own) {
  Child child([&] {
    Checkpointer own = open_store(file_);
    own.put(Draft("child", "1"));
    require(own.get({"t", "", "1", {}}).has_value(), "the parent's checkpoint is not seen");
  });
  EXPECT_TRUE(child.succeeded());
  EXPECT_TRUE(store_->get({"child", "", "1", {}}));
}

// A child that trusted the locks of its parent would write to a log that the parent deletes.
TEST_F(Fork, a_child_keeps_what_it_stores_after_its_parent_closed_the_file) {
  Signal opened;
  Signal closed;
  Child child([&] {
    Checkpointer own = open_store(file_);
    own.put(Draft("child", "1"));
    opened.send();
    closed.wait();
    own.put(Draft("child", "2"));
  });
  opened.wait();
  store_.reset();
  closed.send();
  EXPECT_TRUE(child.succeeded());
  EXPECT_TRUE(open_store(file_).get({"child", "", "2", {}}));
}

TEST_F(Fork, a_child_that_ends_leaves_the_parents_log_alone) {
  store_->put(Draft("t", "2"));
  Child child([&] {
    open_store(file_).put(Draft("child", "1"));
    store_.reset();
  });
  EXPECT_TRUE(child.succeeded());
  store_->put(Draft("t", "3"));
  Child reader([&] {
    Checkpointer own = open_store(file_);
    for (const char* id : {"1", "2", "3"}) {
      require(own.get({"t", "", id, {}}).has_value(), std::string("lost: ") + id);
    }
  });
  EXPECT_TRUE(reader.succeeded());
  EXPECT_EQ(RawDatabase(file_).value("PRAGMA integrity_check"), "ok");
}

// While another thread is inside SQLite, the child inherits it in the middle of its work.
TEST_F(Fork, a_child_of_a_busy_process_is_refused) {
  RawDatabase lock(file_);
  lock.run("BEGIN IMMEDIATE");
  std::jthread writer([&] { store_->put(Draft("t", "2")); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  Child child([&] {
    for (int attempt = 0; attempt < 2; ++attempt) {
      expect_unsupported([&] { open_store(file_).put(Draft("child", "1")); });
    }
  });
  EXPECT_TRUE(child.succeeded());
  lock.run("ROLLBACK");
  writer.join();
  EXPECT_TRUE(store_->get({"t", "", "2", {}}));
}

}  // namespace
}  // namespace threadkeep::sqlite_test
