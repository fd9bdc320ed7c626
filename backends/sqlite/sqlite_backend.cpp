// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_backend.hpp"

#include <sqlite3.h>

#include <utility>

#include "apply.hpp"
#include "database.hpp"
#include "examine.hpp"
#include "findings.hpp"
#include "fork_guard.hpp"
#include "handle.hpp"
#include "reads.hpp"
#include "settings.hpp"
#include "setup.hpp"
#include "sqlite/journal.hpp"
#include "sqlite/retention.hpp"

namespace threadkeep::sqlite {

namespace {

// Room in a row for everything but its document and metadata, the two large members of one row.
constexpr std::size_t row_overhead = 16 * 1024;

// Not kept: a child that is forked while another thread finds it out would wait for that for ever.
std::size_t max_value_bytes() {
  const Handle memory(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY);
  const int limit = sqlite3_limit(memory.get(), SQLITE_LIMIT_LENGTH, -1);
  return (static_cast<std::size_t>(limit) - row_overhead) / 2;
}

/// The glue between Backend and the functions that do the work: every call takes a connection for
/// its duration. Thread-safe.
class SqliteBackend final : public Backend {
 public:
  SqliteBackend(Settings settings, Environment environment)
      : settings_(settings),
        environment_(std::move(environment)),
        max_value_bytes_(sqlite::max_value_bytes()),
        database_(std::make_unique<Database>(std::move(settings))),
        retention_(*database_, environment_),
        journal_(settings_, *database_, environment_) {}

  // In a forked child the connections are the parent's; see Handle.
  ~SqliteBackend() override {
    if (!fork_guard_.in_child()) return;
    static_cast<void>(database_.release());
    journal_.leave();
  }

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    if (batch.empty()) return {};
    const Lease connection = database_->write(call);
    return sqlite::apply(*connection, batch, environment_.now());
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::get(*connection, query);
  }

  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::list(*connection, query);
  }

  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::history(*connection, query);
  }

  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::threads(*connection, query);
  }

  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::loose_writes(*connection, query);
  }

  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::thread(*connection, query);
  }

  Page<Message> messages(const MessageList& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::messages(*connection, query);
  }

  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::streams(*connection, query);
  }

  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::message(*connection, query);
  }

  std::uint64_t count_messages(const MessageList& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::count_messages(*connection, query);
  }

  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::state(*connection, query);
  }

  Page<StateDocument> states(const StateList& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::states(*connection, query);
  }

  StoreStats stats(const StatsQuery& query, const Call& call) override {
    const Lease connection = database_->read(call);
    const Snapshot snapshot(*connection);
    return sqlite::stats(*connection, query);
  }

  Capabilities capabilities() const override {
    return {.name = "sqlite",
            .durable = true,
            .blocking = true,
            .max_value_bytes = max_value_bytes_,
            .max_concurrent_batches = 1,
            .sessions = true};
  }

  Health ping(const Call& call) override {
    try {
      const Lease connection = database_->read(call);
      Rows rows = connection->query("SELECT count(*) FROM sqlite_schema");
      rows.next();
      return {true, std::string("SQLite ") + sqlite3_libversion() + ", format " +
                        std::to_string(format_version) + ", " + settings_.path};
    } catch (const Error& error) {
      return {false, error.what()};
    }
  }

  std::vector<Finding> examine(const Call& call) override {
    auto findings = Backend::examine(call);
    if (findings.front().level != Finding::Level::good) return findings;
    examine_further(findings, [&] {
      sqlite::examine(*database_->read(call), settings_, findings);
      if (!journal_.was_used(call)) return;
      for (Finding& finding : judge_journal(journal_, call)) findings.push_back(std::move(finding));
    });
    return findings;
  }

  void setup(const Call& call) override { database_->setup(call); }

  retention::Host* retention() override { return &retention_; }
  Journal* journal() override { return &journal_; }

 private:
  const Settings settings_;
  const Environment environment_;
  const std::size_t max_value_bytes_;
  ForkGuard fork_guard_;
  std::unique_ptr<Database> database_;
  RetentionHost retention_;
  SqliteJournal journal_;
};

}  // namespace

std::unique_ptr<Backend> open(Url& url, const Environment& environment) {
  Settings settings = settings_of(url);
  settings.first_use = environment.first_use;
  return std::make_unique<SqliteBackend>(std::move(settings), environment);
}

}  // namespace threadkeep::sqlite
