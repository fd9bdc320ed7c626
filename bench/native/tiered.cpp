// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <threadkeep/testing/postgres_server.hpp>
#include <threadkeep/testing/redis_server.hpp>
#include <vector>

#include "load.hpp"

namespace bench {

namespace {

using threadkeep::Checkpointer;

std::string encoded(const std::string& url) {
  std::string text;
  for (const char c : url) {
    const bool plain = std::string(":/?&=%").find(c) == std::string::npos;
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
    text += plain ? std::string(1, c) : escaped;
  }
  return text;
}

// A state of words in 8 channels, so that Postgres compresses it as it would real text.
void put_state(Checkpointer store, std::size_t size) {
  std::string value;
  while (value.size() < size / 8) value += payload();
  value.resize(size / 8);
  threadkeep::PutCheckpoint put;
  put.thread_id = std::to_string(size);
  put.checkpoint_id = "1";
  std::string versions;
  for (int i = 0; i < 8; ++i) {
    const std::string channel = "channel" + std::to_string(i);
    versions += (i == 0 ? "\"" : ", \"") + channel + "\": \"1\"";
    put.blobs.push_back({channel, "1", "text", threadkeep::Bytes(value)});
  }
  put.document = R"({"v": 4, "channel_versions": {)" + versions + "}}";
  store.put(put);
}

struct Reader {
  std::string name;
  Checkpointer store;
};

double reads_per_second(Checkpointer& store, std::size_t size) {
  const threadkeep::CheckpointQuery query{std::to_string(size), "", {}, {}};
  return calls_per_second([&] { store.get(query); });
}

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers[numbers.size() / 2];
}

void compare_size(std::vector<Reader>& readers, std::size_t size) {
  put_state(readers.front().store, size);
  std::vector<std::vector<double>> rates(readers.size());
  for (auto& reader : readers) reads_per_second(reader.store, size);  // fills the hot store
  for (int i = 0; i < repetitions; ++i) {
    for (std::size_t r = 0; r < readers.size(); ++r) {
      rates[r].push_back(reads_per_second(readers[r].store, size));
    }
  }
  std::printf("read of the latest, %zu KiB:", size / 1024);
  for (std::size_t r = 0; r < readers.size(); ++r) {
    const double rate = median(rates[r]);
    std::printf(" %s %.3f ms,", readers[r].name.c_str(), 1000 / rate);
  }
  std::printf(" of one caller\n");
  std::fflush(stdout);
}

}  // namespace

void compare_tiered() {
  const threadkeep::testing::PostgresServer postgres({.durable = true, .settings = {}});
  const threadkeep::testing::RedisServer redis;
  const auto tiered = [&](const std::string& hot, const std::string& rest) {
    return Checkpointer(threadkeep::open("tiered:?durable=" + encoded(postgres.url()) +
                                         "&hot=" + encoded(hot) + rest));
  };
  std::vector<Reader> readers;
  readers.push_back({"Postgres alone", Checkpointer(threadkeep::open(postgres.url()))});
  readers.push_back({"check=head", tiered(redis.url(), "")});
  readers.push_back({"check=put", tiered(redis.url(), "&check=put")});
  readers.push_back({"hot=memory:", tiered("memory:", "")});
  for (const std::size_t kib : {1, 64, 1024, 8192}) compare_size(readers, kib * 1024);
}

}  // namespace bench
