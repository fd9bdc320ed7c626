// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <threadkeep/testing/temporary_directory.hpp>

#include "load.hpp"

namespace bench {

namespace {

/// Puts by bare statements into the tables of a store, as durable as it: WAL, synchronous=FULL.
class Raw {
 public:
  explicit Raw(const std::string& path) {
    sqlite3* database = nullptr;
    check(sqlite3_open(path.c_str(), &database));
    database_.reset(database);
    begin_ = prepare("BEGIN IMMEDIATE");
    checkpoint_ = prepare(
        "INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint)"
        " VALUES ('raw', ?1, ?2, ?3)");
    blob_ = prepare(
        "INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob)"
        " VALUES ('raw', ?1, ?2, 'msgpack', ?3)");
    commit_ = prepare("COMMIT");
  }

  void put() {
    const std::string parent = std::to_string(count_);
    const std::string id = std::to_string(++count_);
    run(begin_);
    bind(checkpoint_, 1, id);
    bind(checkpoint_, 2, parent);
    bind(checkpoint_, 3, document());
    run(checkpoint_);
    for (const char* channel : {"channel0", "channel1"}) {
      bind(blob_, 1, channel);
      bind(blob_, 2, id);
      const auto size = static_cast<int>(payload().size());
      check(sqlite3_bind_blob(blob_.get(), 3, payload().data(), size, SQLITE_STATIC));
      run(blob_);
    }
    run(commit_);
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Close>;

  void check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_DONE) return;
    throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(database_.get()));
  }

  Statement prepare(const char* text) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(database_.get(), text, -1, &statement, nullptr));
    return Statement(statement);
  }

  void bind(const Statement& statement, int index, const std::string& text) const {
    const auto size = static_cast<int>(text.size());
    check(sqlite3_bind_text(statement.get(), index, text.data(), size, SQLITE_TRANSIENT));
  }

  void run(const Statement& statement) const {
    check(sqlite3_step(statement.get()));
    sqlite3_reset(statement.get());
  }

  std::unique_ptr<sqlite3, Close> database_;
  Statement begin_, checkpoint_, blob_, commit_;
  long count_ = 0;
};

}  // namespace

void compare_sqlite() {
  const threadkeep::testing::TemporaryDirectory directory;
  const auto path = [&](const char* name) { return (directory.path() / name).string(); };
  const threadkeep::Checkpointer store(threadkeep::open("sqlite:" + path("store.db")));
  // A file of its own, so that neither waits for the other.
  Writer(threadkeep::Checkpointer(threadkeep::open("sqlite:" + path("raw.db"))), 0).put();
  Raw raw(path("raw.db"));
  compare(
      "SQLite, put, one caller", [&] { return puts_per_second(store, 1); },
      "bare prepared statements", [&] { return calls_per_second([&] { raw.put(); }); });
}

}  // namespace bench
