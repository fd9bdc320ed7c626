// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "connection.hpp"
#include "write_statements.hpp"

namespace threadkeep::postgres {

/// The statements of one round trip while they are put together. Not thread-safe.
class Pipeline {
 public:
  /// Adds an execution; its parameters are to be filled before the next one is added. The
  /// statement, and what the parameters refer to, must live until run() is over.
  Parameters& add(const Statement& statement);
  Parameters& add(const RowsStatement& statement, std::size_t rows);

  std::size_t size() const noexcept { return requests_.size(); }
  bool empty() const noexcept { return requests_.empty(); }

  std::vector<Result> run(Connection& connection, Effect effect, const Call& call) const;

 private:
  std::deque<Statement> own_;  // those that exist for one execution
  std::vector<Request> requests_;
};

}  // namespace threadkeep::postgres
