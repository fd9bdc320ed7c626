// SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace threadkeep::postgres {

std::int64_t rows_for(std::size_t limit) noexcept {
  return static_cast<std::int64_t>(std::min(limit, most_items) + 1);
}

std::int64_t clamped(std::size_t bytes) noexcept {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(bytes, most));
}

void add_filter(Parameters& parameters, const std::vector<MetadataEquals>& filter) {
  for (const auto& [key, value] : filter) parameters.text(key).json(value);
}

Result run_once(Connection& connection, const Statement& statement, Parameters parameters,
                const Call& call) {
  std::vector<Request> request(1);
  request.front() = {&statement, std::move(parameters), true};
  return std::move(connection.run(request, Effect::none, call).front());
}

}  // namespace threadkeep::postgres
