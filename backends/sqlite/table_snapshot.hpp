// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::sqlite {

/// A connection that works for one call while this lives.
class Use {
 public:
  Use(Connection& connection, const Call& call) : connection_(connection) {
    connection_.start(call);
    connection_.check_call();
  }
  ~Use() { connection_.finish(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Connection& connection_;
};

/// A read transaction on a connection of its own, begun when this returns.
std::unique_ptr<tables::Snapshot> open_snapshot(const Settings& settings, const Call& call);

}  // namespace threadkeep::sqlite
