// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "parameters.hpp"

namespace threadkeep::postgres {

/// One SQL statement with placeholders `$1`, ... The name is made from the text, so that two
/// programs behind one pooler can never mean different statements by one name.
class Statement {
 public:
  explicit Statement(std::string sql);

  const std::string& sql() const noexcept { return sql_; }
  const std::string& name() const noexcept { return name_; }

 private:
  std::string sql_;
  std::string name_;
};

/// One execution of a statement. The statement must live until the request was carried out.
struct Request {
  const Statement* statement = nullptr;
  Parameters parameters;
  /// Parse and plan for this execution only: for statements whose text is rarely the same.
  bool once = false;
};

}  // namespace threadkeep::postgres
