// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

/// \file
/// All that a store can do, for tests that disturb it.

namespace threadkeep::redis_test {

/// What the operations are about: a thread "t" with two checkpoints, a large value and a small one,
/// two messages and a document; a thread "demand"; and a document of the name "n".
void fill(Checkpointer& store);

struct Operation {
  std::string name;
  std::function<void(Checkpointer&, const Call&)> run;
};

/// Mutations. Each can be carried out again and again.
std::vector<Operation> mutations();

struct Read {
  std::string name;
  /// What was found, as text.
  std::function<std::string(Checkpointer&, const Call&)> run;
};

std::vector<Read> reads();

/// All of them; reads come first, for mutations delete what they look for.
std::vector<Operation> operations();

/// All that is stored, as text.
std::string contents(Checkpointer& store);

bool is_outage(Code code);

/// Bytes that go in each direction while `call` runs.
struct Traffic {
  std::size_t to_server = 0;
  std::size_t to_client = 0;

  std::size_t in(testing::TcpProxy::Direction direction) const {
    return direction == testing::TcpProxy::Direction::to_server ? to_server : to_client;
  }
};
Traffic traffic_of(const testing::TcpProxy& proxy, const std::function<void()>& call);

}  // namespace threadkeep::redis_test
