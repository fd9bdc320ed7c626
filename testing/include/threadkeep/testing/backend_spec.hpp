// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "threadkeep/registry.hpp"

namespace threadkeep::testing {

/// A backend to be tested.
struct BackendSpec {
  std::string name;  ///< Letters, digits and `_`; part of the names of the tests.
  /// Opens a store that is empty and that no other call has returned. It must use the given
  /// environment, for tests set its clock. What the store lies on may be removed with it.
  std::function<std::shared_ptr<Store>(const Environment&)> make;
};

/// The backend behind a URL, in which `{dir}` stands for a new temporary directory for each store.
BackendSpec backend_at(std::string name, std::string url,
                       const Registry& registry = Registry::builtin());

}  // namespace threadkeep::testing
