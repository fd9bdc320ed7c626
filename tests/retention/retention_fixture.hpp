// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "postgres_backends.hpp"
#include "program.hpp"
#include "random_threads.hpp"
#include "raw_database.hpp"
#include "threadkeep/checkpointer.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/retention/postgres.hpp"

namespace threadkeep::retention_test {

using postgres_test::RawDatabase;
using Rows = std::vector<std::string>;

/// A Postgres store with retention installed, another program's view of it, and a role that may
/// sweep and nothing else.
class RetentionFixture : public ::testing::Test {
 protected:
  explicit RetentionFixture(testing::PostgresSchemas& schemas = testing::bytewise_schemas())
      : schemas_(schemas),
        schema_(schemas.take()),
        url_(schemas.url(schema_)),
        store_(Registry::builtin().open(url_)),
        raw_(url_),
        retention_(store_) {
    store_.setup(Call());
    retention_.install(Call());
    make_role();
    retention_.grant("sweeper", Call());
  }
  ~RetentionFixture() override { schemas_.give_back(schema_); }

  std::string qualified(const std::string& name) const { return "\"" + schema_ + "\"." + name; }
  /// The words of psql as the role that sweeps; `{}` in the SQL stands for the schema.
  std::vector<std::string> psql(std::string sql) const {
    for (auto at = sql.find("{}"); at != std::string::npos; at = sql.find("{}", at)) {
      sql.replace(at, 2, '"' + schema_ + '"');
    }
    std::string url = url_.substr(0, url_.find('?'));
    url.replace(url.find("threadkeep@"), 11, "sweeper@");
    return {"psql",
            url,
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--set=ON_ERROR_STOP=1",
            "--set=VERBOSITY=terse",
            "--command",
            sql};
  }
  std::string as_sweeper(const std::string& sql, int status = 0) const {
    return testing::run_program(psql(sql), status);
  }
  std::string sweep(int batch = 1000) const {
    return as_sweeper("CALL {}.threadkeep_retention_sweep('5 minutes', " + std::to_string(batch) +
                      ")");
  }
  void apply(const std::string& json) {
    retention_.apply(retention::policies_from_json(json), Call());
  }
  /// As if the last sweeps had been longer ago than the grace.
  void pass_grace() {
    raw_.run("UPDATE threadkeep_retention_garbage SET removed_at = removed_at - interval '16 min'");
  }
  /// Stores a thread and gives it the times of its facts.
  void store(const RandomThread& thread) {
    for (const Outcome& outcome : store_.write_all(thread.mutations, Call())) {
      if (outcome.error) ADD_FAILURE() << outcome.error->what();
    }
    const auto& facts = thread.facts;
    const std::string& id = facts.thread_id;
    if (thread.adopted) raw_.run("DELETE FROM threadkeep_threads WHERE thread_id = $1", {id});
    if (facts.updated_at) set_times(id, facts.created_at, *facts.updated_at);
    if (facts.pinned) retention_.pin(id, Call());
    if (facts.held) retention_.hold(id, "case 1", Call());
    if (facts.expires_at) retention_.expire(id, facts.expires_at, Call());
  }
  void set_times(const std::string& id, std::optional<std::int64_t> created, std::int64_t updated) {
    raw_.run(
        "UPDATE threadkeep_threads SET "
        "created_at = timestamptz '1970-01-01 00:00:00+00' + "
        "  nullif($2, '')::bigint * interval '1 microsecond', "
        "updated_at = timestamptz '1970-01-01 00:00:00+00' + $3::bigint * interval '1 microsecond' "
        "WHERE thread_id = $1",
        {id, created ? std::to_string(*created) : "", std::to_string(updated)});
  }
  /// A checkpoint as LangGraph's saver stores it, of that many days ago, with one value.
  void adopt(const std::string& thread, const std::string& id, const std::string& parent,
             double days) {
    raw_.run(
        "INSERT INTO checkpoint_blobs VALUES ($1, '', 'a', $2, 'msgpack', convert_to($2, 'UTF8'))",
        {thread, id});
    raw_.run(
        "INSERT INTO checkpoints VALUES ($1, '', $2, nullif($3, ''), NULL, jsonb_build_object("
        "'v', 4, 'channel_versions', jsonb_build_object('a', $2::text), 'ts', "
        "to_char((now() - $4::float * interval '1 day') AT TIME ZONE 'UTC', "
        "        'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00')), '{}')",
        {thread, id, parent, std::to_string(days)});
  }
  std::string count(const std::string& table) {
    return raw_.value("SELECT count(*) FROM " + table);
  }

  testing::PostgresSchemas& schemas_;
  const std::string schema_;
  const std::string url_;
  Store store_;
  RawDatabase raw_;
  retention::PostgresRetention retention_;

 private:
  static void make_role() {
    static const std::string made =
        testing::PostgresServer::shared().run("CREATE ROLE sweeper LOGIN NOSUPERUSER");
  }
};

}  // namespace threadkeep::retention_test
