// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

namespace threadkeep::postgres {

Parameters& Pipeline::add(const Statement& statement) {
  requests_.push_back({&statement, {}, false});
  return requests_.back().parameters;
}

Parameters& Pipeline::add(const RowsStatement& statement, std::size_t rows) {
  if (rows <= RowsStatement::most_prepared) return add(statement.of(rows));
  own_.push_back(statement.make(rows));
  requests_.push_back({&own_.back(), {}, true});
  return requests_.back().parameters;
}

std::vector<Result> Pipeline::run(Connection& connection, Effect effect, const Call& call) const {
  return connection.run(requests_, effect, call);
}

}  // namespace threadkeep::postgres
