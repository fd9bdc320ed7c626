// SPDX-License-Identifier: Apache-2.0
//
// A backend of your own, `journal:PATH?sync=on|off`. Every batch of writes is appended to one file
// before it takes effect in memory; opening the file carries all out again. A batch that is not
// whole was never acknowledged and is cut off. The tests below run the conformance suite on it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>

#include "threadkeep/testing/conformance.hpp"
#include "threadkeep/testing/lockstep.hpp"
#include "threadkeep/testing/session_conformance.hpp"
#include "threadkeep/testing/temporary_directory.hpp"
#include "threadkeep/threadkeep.hpp"

namespace {
using namespace threadkeep;
namespace suite = threadkeep::testing;

// Appends values to `bytes`, or takes them from there in the same order.
struct Codec {
  bool writing;
  std::string bytes = {};
  std::size_t at = 0;

  void operator()(auto&... values) { (one(values), ...); }

  template <class T>
  requires std::is_arithmetic_v<T>
  void one(T& value) {
    const auto data = reinterpret_cast<char*>(&value);
    if (writing) bytes.append(data, sizeof value);
    if (!writing) bytes.copy(data, sizeof value, std::exchange(at, at + sizeof value));
  }
  template <class T>
  requires requires(T& items) { items.resize(1); }
  void one(T& items) {
    auto size = items.size();
    one(size);
    items.resize(size);
    for (auto& item : items) one(item);
  }
  void one(Bytes& data) {
    std::string text(data.view());
    one(text);
    data = Bytes(std::move(text));
  }
  template <class T>
  void one(std::optional<T>& value) {
    bool there = value.has_value();
    one(there);
    if (there) one(value ? *value : value.emplace());
  }
  void one(Blob& b) { (*this)(b.channel, b.version, b.type, b.data); }
  void one(PendingWrite& w) { (*this)(w.task_id, w.idx, w.channel, w.task_path, w.type, w.data); }
  void one(PutCheckpoint& m) {
    (*this)(m.thread_id, m.checkpoint_ns, m.checkpoint_id, m.parent_checkpoint_id, m.document);
    (*this)(m.metadata, m.blobs, m.require_latest_parent);
  }
  void one(PutWrites& m) { (*this)(m.thread_id, m.checkpoint_ns, m.checkpoint_id, m.writes); }
  void one(PutThread& m) { (*this)(m.thread_id, m.metadata); }
  void one(DeleteThread& m) { (*this)(m.thread_id); }
  void one(DeleteRuns& m) { (*this)(m.run_ids); }
  void one(CopyThread& m) { (*this)(m.source_thread_id, m.target_thread_id); }
  void one(Prune& m) { (*this)(m.thread_id); }
  void one(NewMessage& m) { (*this)(m.id, m.role, m.content, m.metadata); }
  void one(StateScope& s) { (*this)(s.thread_id, s.name); }
  void one(StateChange::Kind& kind) {
    auto number = static_cast<int>(kind);
    one(number);
    kind = static_cast<StateChange::Kind>(number);
  }
  void one(StateChange& c) { (*this)(c.key, c.kind, c.value, c.expected_version); }
  void one(AppendMessages& m) {
    (*this)(m.thread_id, m.stream, m.messages, m.state, m.operation_id, m.expected_revision);
  }
  void one(UpdateMessage& m) {
    (*this)(m.thread_id, m.id, m.content, m.metadata, m.expected_version);
  }
  void one(RemoveMessages& m) { (*this)(m.thread_id, m.ids); }
  void one(PopMessages& m) { (*this)(m.thread_id, m.stream, m.count, m.operation_id); }
  void one(ClearMessages& m) { (*this)(m.thread_id, m.stream); }
  void one(ChangeState& m) { (*this)(m.scope, m.changes); }
  void one(Mutation& mutation) {
    const Mutation kinds[] = {PutCheckpoint{}, PutWrites{},      PutThread{},   DeleteThread{},
                              DeleteRuns{},    CopyThread{},     Prune{},       AppendMessages{},
                              UpdateMessage{}, RemoveMessages{}, PopMessages{}, ClearMessages{},
                              ChangeState{}};
    static_assert(std::size(kinds) == std::variant_size_v<Mutation>);
    auto kind = mutation.index();
    one(kind);
    if (!writing) mutation = kinds[kind];
    std::visit([this](auto& m) { one(m); }, mutation);
  }
};

std::size_t checksum(std::string_view bytes) {
  std::size_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// A file of batches: length, checksum, time, mutations. One process opens it at a time.
class JournalBackend final : public Backend {
 public:
  JournalBackend(bool sync, Environment now) : sync_(sync), environment_(std::move(now)) {}
  ~JournalBackend() override { ::close(file_); }

  void load(const std::string& path) {
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0 || ::flock(file_, LOCK_EX | LOCK_NB) != 0) throw failed(Code::unavailable, path);
    std::ifstream stream(path, std::ios::binary);
    Codec all{false, std::string(std::istreambuf_iterator<char>(stream), {})};
    for (std::size_t size = 0, sum = 0; all.bytes.size() - all.at >= 2 * sizeof size;) {
      all(size, sum);
      Codec record{false, all.bytes.substr(all.at, size)};
      if (record.bytes.size() < size || checksum(record.bytes) != sum) break;
      std::vector<Mutation> batch;
      record(now_, batch);
      memory_->apply(batch, patient_);
      end_ = static_cast<off_t>(all.at += size);
    }
    if (::ftruncate(file_, end_) != 0) throw failed(Code::denied, "truncate");
  }

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    const std::lock_guard lock(mutex_);
    if (call.deadline.passed()) throw Error(Code::timeout, "nothing was done");
    now_ = environment_.now();
    std::vector<Mutation> copy(batch.begin(), batch.end());
    Codec body{true};
    body(now_, copy);
    append(body.bytes);
    return memory_->apply(batch, patient_);  // It is in the file: there is no way back.
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& q, const Call& c) override {
    return memory_->get(q, c);
  }
  Page<CheckpointTuple> list(const CheckpointList& q, const Call& c) override {
    return memory_->list(q, c);
  }
  std::vector<ChannelHistory> history(const HistoryQuery& q, const Call& c) override {
    return memory_->history(q, c);
  }
  Page<ThreadInfo> threads(const ThreadList& q, const Call& c) override {
    return memory_->threads(q, c);
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& q, const Call& c) override {
    return memory_->loose_writes(q, c);
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& q, const Call& c) override {
    return memory_->thread(q, c);
  }
  Page<Message> messages(const MessageList& q, const Call& c) override {
    return memory_->messages(q, c);
  }
  std::vector<std::string> streams(const ThreadQuery& q, const Call& c) override {
    return memory_->streams(q, c);
  }
  std::optional<Message> message(const MessageQuery& q, const Call& c) override {
    return memory_->message(q, c);
  }
  std::uint64_t count_messages(const MessageList& q, const Call& c) override {
    return memory_->count_messages(q, c);
  }
  std::optional<StateDocument> state(const StateQuery& q, const Call& c) override {
    return memory_->state(q, c);
  }
  Page<StateDocument> states(const StateList& q, const Call& c) override {
    return memory_->states(q, c);
  }
  Capabilities capabilities() const override {
    return {.name = "journal", .durable = sync_, .max_value_bytes = 256 << 20, .sessions = true};
  }
  Health ping(const Call&) override { return {true, "a file that this process has open"}; }
  void setup(const Call&) override {}

 private:
  static Error failed(Code code, const std::string& what) {
    return Error(errno == ENOSPC ? Code::no_space : code, what + ": " + std::strerror(errno));
  }

  void append(const std::string& body) {
    Codec record{true};
    auto size = body.size();
    auto sum = checksum(body);
    record(size, sum);
    record.bytes += body;
    const auto written = ::pwrite(file_, record.bytes.data(), record.bytes.size(), end_);
    // What is not whole is written over by the next batch.
    if (written != ssize_t(record.bytes.size())) throw failed(Code::unavailable, "write");
    if (sync_ && ::fdatasync(file_) != 0) throw failed(Code::outcome_unknown, "sync");
    end_ += written;
  }

  std::mutex mutex_;
  int file_ = -1;
  const bool sync_;
  const Call patient_{Deadline::never(), {}};
  off_t end_ = 0;  // Of the last whole batch.
  Environment environment_;
  std::int64_t now_ = 0;  // When the batch under way was first carried out.
  std::unique_ptr<Backend> memory_ =
      Registry::builtin().open("memory:", Environment{[this] { return now_; }});
};

// [snippet registration]
Registry with_journal() {
  Registry registry = Registry::builtin();
  registry.add("journal", [](Url& url, const Environment& environment) {
    const bool sync = url.take_choice("sync", {"on", "off"}) != "off";
    url.finish();
    auto backend = std::make_unique<JournalBackend>(sync, environment);
    backend->load(url.path());
    return backend;
  });
  return registry;
}
// [/snippet registration]
const auto journal = suite::backend_at("journal", "journal:{dir}/j?sync=off", with_journal());

TEST(Journal, remembers_all_whole_batches) {
  const suite::TemporaryDirectory directory;
  const auto path = directory.path().string() + "/journal";
  const auto open_again = [&] { return Checkpointer(open("journal:" + path, with_journal())); };
  for (const auto* id : {"1", "2"}) open_again().put(suite::Draft("t", id));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_EQ(open_again().get({"t", "", {}, {}})->checkpoint_id, "1");
}

TEST(Journal, agrees_with_memory) {
  const auto memory = suite::backend_at("memory", "memory:");
  EXPECT_EQ(suite::run_lockstep(journal, memory, {.seed = 7}).value_or(""), "");
}

}  // namespace

THREADKEEP_CONFORMANCE(journal)
THREADKEEP_SESSION_CONFORMANCE(journal)
