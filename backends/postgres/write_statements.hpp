// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "layout.hpp"
#include "statement.hpp"

namespace threadkeep::postgres {

/// The statements of mutations. Const use is thread-safe.
struct WriteStatements {
  explicit WriteStatements(const Layout& layout);

  // To be filled in by the implementation.
};

}  // namespace threadkeep::postgres
