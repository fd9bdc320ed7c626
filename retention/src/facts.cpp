// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "threadkeep/ids.hpp"

namespace threadkeep::retention {

namespace {

using Json = nlohmann::json;
using CheckpointKey = std::pair<std::string_view, std::string_view>;  // namespace, id
using BlobKey = std::tuple<std::string_view, std::string_view, std::string_view>;

// A time before 2000 is a clock that was not set.
constexpr std::int64_t year_2000 = 946'684'800'000'000;

// Reads a text from its beginning; after a mismatch everything is 0 and done() is false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(std::string_view any_of) { matches_ = take(any_of) && matches_; }
  int number(std::size_t digits) {
    int value = 0;
    for (; digits > 0; --digits) {
      const int digit = rest_.empty() ? -1 : rest_.front() - '0';
      expect("0123456789");
      if (!matches_) return 0;
      value = value * 10 + digit;
    }
    return value;
  }
  // Up to nine digits, as microseconds.
  int fraction() {
    int value = 0;
    int digits = 0;
    for (; digits < 9 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
      if (digits < 6) value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    matches_ = digits > 0 && matches_;
    for (; digits < 6; ++digits) value *= 10;
    return value;
  }
  std::chrono::minutes zone() {
    if (rest_.empty() || take("Z")) return {};
    const bool west = rest_.front() == '-';
    expect("+-");
    const int hours = number(2);
    take(":");
    const std::chrono::minutes offset(hours * 60 + number(2));
    return west ? -offset : offset;
  }
  bool done() const { return matches_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool matches_ = true;
};

std::optional<std::int64_t> time_of(const Json& document, const std::string& id) {
  const auto ts = document.find("ts");
  if (ts != document.end() && ts->is_string()) {
    const auto time = read_time(ts->get_ref<const std::string&>());
    if (time && *time >= year_2000) return time;
  }
  const auto time = time_of_id(id);
  return time && *time >= year_2000 ? time : std::nullopt;
}

bool is_of_old_form(const Json& document) {
  const auto version = document.find("v");
  return version != document.end() && version->is_number() && version->get<double>() < 4;
}

Json object_of(const std::string& text) {
  Json object = Json::parse(text, nullptr, false);
  return object.is_object() ? object : Json::object();
}

// The members of the thread's own metadata come before those of the checkpoint.
std::string merge(const std::string& own, const std::string& of_checkpoint) {
  Json all = object_of(of_checkpoint);
  all.update(object_of(own));
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Turns the rows of one thread into facts.
class RowReader {
 public:
  explicit RowReader(const ThreadRows& rows) : rows_(rows) {
    for (const WriteRow& write : rows.writes) {
      const CheckpointKey key(write.checkpoint_ns, write.checkpoint_id);
      if (write.channel == "__interrupt__") interrupted_.insert(key);
      if (write.channel == "__pregel_tasks") with_tasks_.insert(key);
    }
    for (const BlobRow& blob : rows.blobs) {
      if (blob.has_value) values_.emplace(blob.checkpoint_ns, blob.channel, blob.version);
    }
  }

  std::vector<NamespaceFacts> namespaces() const {
    std::vector<NamespaceFacts> all;
    for (const CheckpointRow& row : rows_.checkpoints) {
      if (all.empty() || all.back().checkpoint_ns != row.checkpoint_ns) {
        all.push_back({row.checkpoint_ns, {}});
      }
      all.back().checkpoints.push_back(read(row));
    }
    return all;
  }

  // That of the latest checkpoint of the first namespace.
  std::string metadata() const {
    const std::string* latest = nullptr;
    for (const CheckpointRow& row : rows_.checkpoints) {
      if (row.checkpoint_ns == rows_.checkpoints.front().checkpoint_ns) latest = &row.metadata;
    }
    return merge(rows_.info->metadata, latest ? *latest : "{}");
  }

 private:
  CheckpointFacts read(const CheckpointRow& row) const {
    const Json document = object_of(row.document);
    CheckpointFacts facts;
    facts.node = {row.checkpoint_id, row.parent_checkpoint_id, delta_channels(row.metadata),
                  valued_channels(row)};
    facts.time = time_of(document, row.checkpoint_id);
    facts.interrupted = interrupted_.contains({row.checkpoint_ns, row.checkpoint_id});
    facts.needs_parent = is_of_old_form(document) && row.parent_checkpoint_id &&
                         with_tasks_.contains({row.checkpoint_ns, *row.parent_checkpoint_id});
    return facts;
  }

  std::set<std::string> valued_channels(const CheckpointRow& row) const {
    std::set<std::string> valued;
    const DocumentChannels document = read_document(row.document);
    for (const auto& [channel, value] : document.inline_values) valued.insert(channel);
    for (const auto& [channel, version] : document.versions) {
      if (values_.contains({row.checkpoint_ns, channel, version})) valued.insert(channel);
    }
    return valued;
  }

  const ThreadRows& rows_;
  std::set<CheckpointKey> interrupted_;
  std::set<CheckpointKey> with_tasks_;
  std::set<BlobKey> values_;
};

}  // namespace

std::optional<std::int64_t> read_time(std::string_view text) noexcept {
  using namespace std::chrono;
  Scanner scanner(text);
  const int y = scanner.number(4);
  scanner.expect("-");
  const int m = scanner.number(2);
  scanner.expect("-");
  const year_month_day date(year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(scanner.number(2))));
  scanner.expect("T ");
  const hours h(scanner.number(2));
  scanner.expect(":");
  const minutes min(scanner.number(2));
  const bool has_seconds = scanner.take(":");
  const seconds s(has_seconds ? scanner.number(2) : 0);
  const microseconds us(has_seconds && scanner.take(".") ? scanner.fraction() : 0);
  const minutes offset = scanner.zone();
  if (!scanner.done() || !date.ok() || h > 23h || min > 59min || s > 59s) return {};
  const auto time = sys_days(date).time_since_epoch() + h + min + s + us - offset;
  return duration_cast<microseconds>(time).count();
}

ThreadFacts facts_of(const ThreadRows& rows) {
  const RowReader reader(rows);
  ThreadFacts facts;
  facts.thread_id = rows.info->thread_id;
  facts.metadata = reader.metadata();
  facts.created_at = rows.info->created_at;
  facts.updated_at = rows.info->updated_at;
  facts.expires_at = rows.expires_at;
  facts.pinned = rows.pinned;
  facts.held = rows.held;
  facts.namespaces = reader.namespaces();
  return facts;
}

}  // namespace threadkeep::retention
