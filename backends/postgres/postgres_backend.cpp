// SPDX-License-Identifier: Apache-2.0
#include "postgres_backend.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "apply.hpp"
#include "database.hpp"
#include "examine.hpp"
#include "findings.hpp"
#include "fork_guard.hpp"
#include "reads.hpp"
#include "setup.hpp"
#include "sql_access.hpp"
#include "stats.hpp"

namespace threadkeep::postgres {

namespace {

// What one string of jsonb holds.
constexpr std::size_t max_value_bytes = 268'435'455;

std::string describe_version(int version) {
  return std::to_string(version / 10'000) + "." + std::to_string(version % 10'000);
}

/// The glue between Backend and the functions that do the work: every call takes a connection for
/// its duration. Thread-safe.
class PostgresBackend final : public Backend {
 public:
  PostgresBackend(Settings settings, Environment environment)
      : environment_(std::move(environment)),
        database_(std::make_unique<Database>(std::move(settings))),
        sql_(*database_) {}

  // In a forked child the connections are the parent's; see Database.
  ~PostgresBackend() override {
    if (fork_guard_.in_child()) static_cast<void>(database_.release());
  }

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    return postgres::apply(*database_, batch, environment_.now(), call);
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::get(*connection, database_->statements()->read, query, call);
  }

  std::optional<std::string> head(const CheckpointQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::head(*connection, database_->statements()->read, query, call);
  }

  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::list(*connection, database_->statements()->read, query, call);
  }

  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::history(*connection, database_->statements()->read, query, call);
  }

  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::threads(*connection, database_->statements()->read, query, call);
  }

  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::thread(*connection, database_->statements()->read, query, call);
  }

  Page<Message> messages(const MessageList& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::messages(*connection, database_->statements()->session, query, call);
  }

  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::message(*connection, database_->statements()->session, query, call);
  }

  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::streams(*connection, database_->statements()->session, query, call);
  }

  std::uint64_t count_messages(const MessageList& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::count_messages(*connection, database_->statements()->session, query, call);
  }

  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::state(*connection, database_->statements()->session, query, call);
  }

  Page<StateDocument> states(const StateList& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::states(*connection, database_->statements()->session, query, call);
  }

  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::loose_writes(*connection, database_->statements()->read, query, call);
  }

  StoreStats stats(const StatsQuery& query, const Call& call) override {
    const Lease connection = database_->lease(call);
    return postgres::stats(*connection, *database_->layout(), query, call);
  }

  Capabilities capabilities() const override {
    return {.name = "postgres",
            .durable = true,
            .blocking = true,
            .max_value_bytes = max_value_bytes,
            .max_concurrent_batches = std::max<std::size_t>(1, database_->settings().pool_size / 2),
            .sessions = true};
  }

  Health ping(const Call& call) override {
    try {
      const Lease connection = database_->lease(call);
      // Looked at anew: others may have run setup in the meantime, or dropped a table.
      const Layout layout = look_at_store(*connection, call);
      return {layout.has_checkpoint_tables && layout.has_own_tables, describe(*connection, layout)};
    } catch (const Error& error) {
      return {false, error.what()};
    }
  }

  std::vector<Finding> examine(const Call& call) override {
    auto findings = Backend::examine(call);
    if (findings.front().level != Finding::Level::good) return findings;
    examine_further(findings, [&] {
      const Lease connection = database_->lease(call);
      postgres::examine(*connection, database_->settings().pool_size, environment_, call, findings);
    });
    return findings;
  }

  void setup(const Call& call) override { database_->setup(call); }

  std::string setup_script(SetupRole role, std::string_view grantee) const override {
    return postgres::setup_script(database_->settings().schema, role, grantee);
  }

  SqlHost* sql() override { return &sql_; }

 private:
  static std::string describe(const Connection& connection, const Layout& layout) {
    std::string text =
        "PostgreSQL " + describe_version(connection.server_version()) + ", schema " + layout.schema;
    if (!layout.has_checkpoint_tables || !layout.has_own_tables) {
      return text + ": tables of the store are gone; restore them";
    }
    if (layout.langgraph_version >= 0) {
      text += ", LangGraph's tables in version " + std::to_string(layout.langgraph_version);
    }
    if (connection.pooled()) text += ", behind a pooler";
    for (const std::string& warning : layout.warnings) text += "; " + warning;
    return text;
  }

  const Environment environment_;
  ForkGuard fork_guard_;
  std::unique_ptr<Database> database_;
  SqlAccess sql_;
};

}  // namespace

std::unique_ptr<Backend> open(Url& url, const Environment& environment) {
  Settings settings = read_settings(url);
  settings.first_use = environment.first_use;
  return std::make_unique<PostgresBackend>(std::move(settings), environment);
}

}  // namespace threadkeep::postgres
