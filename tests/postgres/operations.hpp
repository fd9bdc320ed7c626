// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "chaos_store.hpp"

namespace threadkeep::postgres_test {

/// How a call ended, in each of its parts.
struct Ended {
  std::vector<std::optional<Error>> errors;  ///< Of the mutations; one for a read.
  std::string text;                          ///< What a read returned.
  std::chrono::milliseconds lasted{0};

  bool succeeded() const;
};

/// One of the operations of Backend, as a test of faults carries it out. Those that write touch
/// the threads "ID-0", "ID-1", ...; no other operation does.
struct Operation {
  std::string name;
  std::function<std::vector<Mutation>(const std::string& id)> batch;  ///< What it writes, or ...
  std::function<std::string(Backend&, const Call&)> read;             ///< ... how it reads.

  bool writes() const { return static_cast<bool>(batch); }
  /// Errors are caught; everything else is thrown.
  Ended carry_out(Backend& backend, const std::string& id, const Call& call) const;
};

/// All of them.
std::vector<Operation> operations();

/// What the operations work on: threads of three checkpoints with values and writes.
void prepare(Backend& backend, const Operation& operation, const std::string& id);
void prepare_for_reads(Backend& backend);

/// The name of the thread that the mutation with that place in a batch is about.
std::string thread_of(const std::string& id, std::size_t place);
/// What the database holds of a thread: numbers of rows, revision.
std::string state_of(RawDatabase& raw, const std::string& thread);

}  // namespace threadkeep::postgres_test
