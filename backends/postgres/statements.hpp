// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "layout.hpp"
#include "read_statements.hpp"
#include "session_statements.hpp"
#include "statement.hpp"
#include "write_statements.hpp"

namespace threadkeep::postgres {

/// Every statement but those of setup, made for one layout. Const use is thread-safe.
struct Statements {
  explicit Statements(const Layout& layout) : write(layout), read(layout), session(layout) {}

  WriteStatements write;
  ReadStatements read;
  SessionStatements session;
};

}  // namespace threadkeep::postgres
