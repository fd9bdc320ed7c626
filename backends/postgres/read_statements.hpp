// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "layout.hpp"
#include "statement.hpp"

namespace threadkeep::postgres {

/// The statements of reads. Const use is thread-safe.
struct ReadStatements {
  explicit ReadStatements(const Layout& layout);

  // To be filled in by the implementation.
};

}  // namespace threadkeep::postgres
