// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>

#include "chaos_store.hpp"

/// \file
/// What a writer that may be killed at any moment does, and what the database must hold then.

namespace threadkeep::postgres_test {

/// An endless list of mutations of the threads whose names begin with `name`. Equal seeds make
/// equal lists. Each succeeds if all before it have, and may be sent again.
class Script {
 public:
  Script(std::uint32_t seed, std::string name) : random_(seed), name_(std::move(name)) {}

  Mutation next();

 private:
  Mutation put();
  Mutation put_writes();

  std::mt19937 random_;
  const std::string name_;
  int number_ = 0;
  std::string latest_;
  std::string first_;
};

/// The rows that mutations of a Script leave, worked out without any store.
class Model {
 public:
  void apply(const Mutation& mutation);
  /// As rows_in() gives them.
  std::set<std::string> rows() const;

 private:
  using Versions = std::map<std::string, std::string>;  // by channel

  struct Checkpoint {
    std::string parent = "none";
    Versions versions;
  };

  struct Thread {
    std::string metadata = "{}";
    int revision = 0;
    std::map<std::string, Checkpoint> checkpoints;
    std::map<std::string, std::string> blobs;                          // "channel|version"
    std::map<std::string, std::map<std::string, std::string>> writes;  // checkpoint, "task|idx"
  };

  void put(const PutCheckpoint& put);
  void put(const PutWrites& put);
  void put(const PutThread& put);
  void prune(Thread& thread);

  std::map<std::string, Thread> threads_;
};

/// All rows of threads whose names begin with `prefix`, one line each. Of bytes: their number, the
/// first of them and whether all are alike.
std::set<std::string> rows_in(RawDatabase& raw, const std::string& prefix);

}  // namespace threadkeep::postgres_test
