// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "threadkeep/error.hpp"

namespace threadkeep::chaos_test {

/// A server of a test's own, with which something goes wrong and is put right again.
class Condition {
 public:
  virtual ~Condition() = default;

  /// Of a store on that server.
  virtual std::string url() const = 0;
  /// How many connections the server has from stores.
  virtual int connections() = 0;
  virtual void begin() = 0;
  virtual void end() = 0;
};

/// One line of the table: what a condition does to calls.
struct Case {
  std::string name;  ///< "postgres_stopped"
  std::function<std::unique_ptr<Condition>()> make;
  Code write;                ///< What writes end with while it lasts.
  std::optional<Code> read;  ///< What reads end with; nothing: they go on.
};

std::vector<Case> postgres_cases();
std::vector<Case> redis_cases();

}  // namespace threadkeep::chaos_test
