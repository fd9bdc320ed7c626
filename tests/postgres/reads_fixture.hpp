// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "postgres_backends.hpp"
#include "raw_database.hpp"
#include "reads.hpp"
#include "setup.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::postgres_test {

using Strings = std::vector<std::string>;

/// Where a store may lie.
enum class Place {
  fresh,    ///< Made by first use in a bytewise database.
  adopted,  ///< LangGraph's tables in an ICU database, after first use only.
  set_up,   ///< The same after setup().
};

inline void PrintTo(Place place, std::ostream* out) {
  *out << (place == Place::fresh ? "fresh" : place == Place::adopted ? "adopted" : "set_up");
}

inline std::string place_name(const ::testing::TestParamInfo<Place>& info) {
  return ::testing::PrintToString(info.param);
}

/// The reads themselves, on rows that another program wrote as LangGraph's own saver does.
class ReadsFixture : public ::testing::TestWithParam<Place> {
 protected:
  ReadsFixture()
      : schemas_(GetParam() == Place::fresh ? testing::bytewise_schemas() : testing::icu_schemas()),
        schema_(schemas_.take()),
        raw_(schemas_.url(schema_)),
        connection_(settings_of(schemas_.url(schema_)), Call()),
        layout_(prepare()),
        statements_(layout_) {}
  ~ReadsFixture() override { schemas_.give_back(schema_); }

  /// `versions` and `values` are the members of JSON objects.
  void checkpoint(const std::string& thread_id, const std::string& ns, const std::string& id,
                  const std::string& parent = {}, const std::string& versions = {},
                  const std::string& values = {}, const std::string& metadata = "{}") {
    document(thread_id, ns, id, parent,
             R"({"v": 4, "channel_versions": {)" + versions + R"(}, "channel_values": {)" + values +
                 "}}",
             metadata);
  }
  void document(const std::string& thread_id, const std::string& ns, const std::string& id,
                const std::string& parent, const std::string& json,
                const std::string& metadata = "{}") {
    raw_.run(
        "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, "
        "checkpoint, metadata) VALUES ($1, $2, $3, nullif($4, ''), $5::jsonb, $6::jsonb)",
        {thread_id, ns, id, parent, json, metadata});
  }
  void blob(const std::string& thread_id, const std::string& channel, const std::string& version,
            const std::string& data, const std::string& ns = {}) {
    raw_.run("INSERT INTO checkpoint_blobs VALUES ($1, $2, $3, $4, 'msgpack', $5::bytea)",
             {thread_id, ns, channel, version, data});
  }
  /// As LangGraph's saver marks that a channel has no value.
  void empty_blob(const std::string& thread_id, const std::string& channel,
                  const std::string& version) {
    raw_.run("INSERT INTO checkpoint_blobs VALUES ($1, '', $2, $3, 'empty', NULL)",
             {thread_id, channel, version});
  }
  void pending(const std::string& thread_id, const std::string& id, const std::string& task,
               int idx, const std::string& channel, const std::string& data,
               const std::string& path = {}, const std::string& ns = {}) {
    raw_.run(
        "INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, "
        "channel, type, blob, task_path) "
        "VALUES ($1, $2, $3, $4, $5::int, $6, 'msgpack', $7::bytea, $8)",
        {thread_id, ns, id, task, std::to_string(idx), channel, data, path});
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& query) {
    return postgres::get(connection_, statements_, query, Call());
  }
  CheckpointTuple load(const std::string& thread_id, std::optional<std::string> id = {}) {
    auto found = get({thread_id, "", std::move(id), {}});
    return found ? std::move(*found) : CheckpointTuple{};
  }
  Page<CheckpointTuple> list(const CheckpointList& query) {
    return postgres::list(connection_, statements_, query, Call());
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query) {
    return postgres::history(connection_, statements_, query, Call());
  }
  Page<ThreadInfo> threads(const ThreadList& query = {}) {
    return postgres::threads(connection_, statements_, query, Call());
  }

  static Strings values_of(const CheckpointTuple& tuple) {
    Strings values;
    for (const Blob& value : tuple.values) {
      values.push_back(value.channel + "@" + value.version + "=" + value.type + ":" +
                       std::string(value.data.view()));
    }
    return values;
  }
  static Strings writes_of(const std::vector<PendingWrite>& writes) {
    Strings texts;
    for (const PendingWrite& write : writes) {
      texts.push_back(write.task_path + "/" + write.task_id + "/" + std::to_string(write.idx) +
                      " " + write.channel + "=" + write.type + ":" +
                      std::string(write.data.view()));
    }
    return texts;
  }

  testing::PostgresSchemas& schemas_;
  const std::string schema_;
  RawDatabase raw_;
  postgres::Connection connection_;
  const postgres::Layout layout_;
  const postgres::ReadStatements statements_;

 private:
  static postgres::Settings settings_of(const std::string& text) {
    auto url = Url::parse(text);
    return postgres::read_settings(url);
  }
  postgres::Layout prepare() {
    if (GetParam() == Place::set_up) postgres::run_setup(connection_, Call());
    return postgres::prepare_first_use(connection_, Call());
  }
};

}  // namespace threadkeep::postgres_test
