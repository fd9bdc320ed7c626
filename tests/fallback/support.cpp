// SPDX-License-Identifier: Apache-2.0
#include "fallback/support.hpp"

#include <algorithm>
#include <thread>

#include "threadkeep/metrics.hpp"

namespace threadkeep::fallback_test {

namespace {

// One server for all tests of the program, because a new one takes seconds; each test has a
// database.
testing::PostgresServer& postgres_server() {
  static testing::PostgresServer server{{.durable = true, .settings = {}}};
  return server;
}

class Postgres final : public Server {
 public:
  Postgres() : database_(server().create_database()) {}
  ~Postgres() override {
    if (is_away_) server().start();
  }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  std::string url() const override { return server().url(database_); }
  void stop() override {
    server().stop(testing::PostgresServer::Stop::fast);
    is_away_ = true;
  }
  void kill() override {
    server().kill();
    is_away_ = true;
  }
  void start() override {
    server().start();
    is_away_ = false;
  }

 private:
  static testing::PostgresServer& server() { return postgres_server(); }

  const std::string database_;
  bool is_away_ = false;
};

// It knows no orderly stop in which clients see anything else.
class Redis final : public Server {
 public:
  std::string url() const override { return server_.url(); }
  void stop() override { server_.kill(); }
  void kill() override { server_.kill(); }
  void start() override { server_.start(); }

 private:
  testing::RedisServer server_{{.durable = true}};
};

}  // namespace

std::unique_ptr<Server> make_postgres() {
  return std::make_unique<Postgres>();
}
void run_on_postgres(const std::string& sql) {
  postgres_server().run(sql, "postgres");
}
std::unique_ptr<Server> make_redis() {
  return std::make_unique<Redis>();
}

FallbackOptions options() {
  FallbackOptions options;
  options.probe_every = 20ms;
  options.open_memory = [] { return Registry::builtin().open("memory:"); };
  return options;
}

std::shared_ptr<Store> open_with_fallback(const std::string& url, const std::string& journal,
                                          FallbackOptions options) {
  const Registry& registry = Registry::builtin();
  return std::make_shared<Store>(Stack(registry.open(url))
                                     .deadline()
                                     .breaker()
                                     .fallback(registry.open(journal), std::move(options))
                                     .build());
}

std::string id_of(int number) {
  const std::string digits = std::to_string(number);
  return std::string(6 - digits.size(), '0') + digits;
}

PutCheckpoint first_step(const std::string& thread_id) {
  return Draft(thread_id, id_of(1)).value("text", id_of(1), id_of(1));
}

PutCheckpoint step(const std::string& thread_id, int number) {
  return Draft(thread_id, id_of(number))
      .parent(id_of(number - 1))
      .value("text", id_of(number), id_of(number));
}

std::string text_of(const CheckpointTuple& tuple) {
  return tuple.values.empty() ? "" : std::string(tuple.values.front().data.view());
}

std::optional<CheckpointTuple> latest(Store& store, const std::string& thread_id) {
  return store.get(
      {.thread_id = thread_id, .checkpoint_ns = "", .checkpoint_id = {}, .include = {}}, Call());
}

std::vector<std::string> ids_of(Store& store, const std::string& thread_id) {
  CheckpointList query;
  query.thread_id = thread_id;
  query.limit = 10'000;
  std::vector<std::string> ids;
  for (const auto& tuple : store.list(query, Call()).items) ids.push_back(tuple.checkpoint_id);
  std::reverse(ids.begin(), ids.end());
  return ids;
}

std::optional<Error> error_of(const std::function<void()>& call) {
  try {
    call();
    return {};
  } catch (const Error& error) {
    return error;
  }
}

Code code_of(const std::function<void()>& call) {
  const auto error = error_of(call);
  if (!error) ADD_FAILURE() << "it succeeded";
  return error ? error->code() : Code::internal;
}

bool comes_true(const std::function<bool()>& condition) {
  const Deadline deadline = Deadline::after(60s);
  while (!condition()) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

bool is_healthy(Store& store) {
  return comes_true([&] {
    const Health health = store.ping(Call());
    return health.ok && !health.degraded;
  });
}

double metric(const std::string& name) {
  for (const MetricFamily& family : Metrics::process()->snapshot()) {
    if (family.name == name && !family.samples.empty()) return family.samples.front().value;
  }
  return 0;
}

std::vector<std::string> ids_to(int number) {
  std::vector<std::string> ids;
  for (int i = 1; i <= number; ++i) ids.push_back(id_of(i));
  return ids;
}

ServerTest::ServerTest(std::unique_ptr<Server> server) : server_(std::move(server)) {
  plain()->setup(Call());
}

std::vector<std::string> ServerTest::stored(const std::string& thread_id) const {
  const auto other = plain();
  return ids_of(*other, thread_id);
}

void ServerTest::make_cached(const std::string& thread_id, int steps) {
  put(first_step(thread_id));
  for (int i = 2; i <= steps; ++i) put(step(thread_id, i));
  ASSERT_TRUE(latest(*store_, thread_id));
}

bool ServerTest::nothing_waits() {
  return comes_true([] { return metric("threadkeep_journal_entries") == 0; });
}

}  // namespace threadkeep::fallback_test
