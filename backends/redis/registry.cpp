// SPDX-License-Identifier: Apache-2.0
#include "registry.hpp"

#include <algorithm>

#include "layout.hpp"

namespace threadkeep::redis {

namespace {

constexpr std::size_t largest_piece = 1000;

}  // namespace

ThreadNames::ThreadNames(Connection& connection, const Settings& settings, const Call& call,
                         const std::string& after, std::size_t expected)
    : connection_(connection),
      settings_(settings),
      call_(call),
      piece_(std::min(2 * expected / buckets + 4, largest_piece)),
      buckets_(buckets) {
  for (Bucket& bucket : buckets_) bucket.from = after.empty() ? "-" : "(" + after;
}

// Reads on where the names at hand are used up.
void ThreadNames::refill() {
  Pipeline pipeline;
  std::vector<Bucket*> asked;
  for (unsigned i = 0; i < buckets; ++i) {
    Bucket& bucket = buckets_[i];
    if (bucket.exhausted || !bucket.names.empty()) continue;
    pipeline.add({"ZRANGEBYLEX", registry_key(settings_.prefix, i), bucket.from, "+", "LIMIT", "0",
                  std::to_string(piece_)});
    asked.push_back(&bucket);
  }
  if (pipeline.empty()) return;
  const auto replies = connection_.read(pipeline, call_);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    Bucket& bucket = *asked[i];
    for (std::size_t n = 0; n < replies[i].size(); ++n) {
      bucket.names.push_back(replies[i][n].text());
    }
    bucket.exhausted = replies[i].size() < piece_;
    if (!bucket.names.empty()) bucket.from = "(" + bucket.names.back();
  }
  piece_ = std::min(piece_ * 2, largest_piece);
}

// The bucket with the least name; null at the end. Every bucket must show its next name first.
ThreadNames::Bucket* ThreadNames::least() {
  Bucket* found = nullptr;
  for (Bucket& bucket : buckets_) {
    if (bucket.names.empty()) continue;
    if (found == nullptr || bucket.names.front() < found->names.front()) found = &bucket;
  }
  return found;
}

std::vector<std::string> ThreadNames::next(std::size_t count) {
  std::vector<std::string> names;
  while (names.size() < count) {
    refill();
    Bucket* bucket = least();
    if (bucket == nullptr) break;
    names.push_back(std::move(bucket->names.front()));
    bucket->names.pop_front();
  }
  return names;
}

}  // namespace threadkeep::redis
