// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "convert.hpp"
#include "threadkeep/mutation.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::python {

/// A call on a store that is not made yet. The same request serves the blocking and the
/// asynchronous way; it is used up by the first of them.
class Request {
 public:
  struct Read {
    std::string lane;  ///< The thread whose order of calls it belongs to.
    std::function<Result(Store&, const Call&)> run;
    bool waits = false;  ///< Also on a store whose other calls never wait.
  };
  using Work = std::variant<Mutation, Read>;

  explicit Request(Work work) : work_(std::move(work)) {}

  /// Throws Error(invalid_argument) the second time.
  Work take();

 private:
  std::optional<Work> work_;
};

/// Adds the class Request and a function for every kind of it.
void bind_requests(nanobind::module_& module);
/// Adds those for messages and state.
void bind_session_requests(nanobind::module_& module);
/// Adds those for retention.
void bind_retention_requests(nanobind::module_& module);

}  // namespace threadkeep::python
