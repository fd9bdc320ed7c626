// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace threadkeep::postgres_test {

/// A database, looked at by libpqxx as any other program does. Not thread-safe.
///
/// This header is free of pqxx, which is compiled in the C++ standard that its own library has.
class RawDatabase {
 public:
  /// The URL of a store: `schema=...` becomes the search path, other parameters that only
  /// threadkeep knows must not be there.
  explicit RawDatabase(const std::string& url);
  ~RawDatabase();
  RawDatabase(RawDatabase&&) noexcept;
  RawDatabase& operator=(RawDatabase&&) noexcept;

  /// The rows of one statement, or of the last of several; columns separated by `|`, null as
  /// "NULL". A transaction of its own unless the text begins one. Throws std::runtime_error.
  std::vector<std::string> run(const std::string& sql);
  /// As run, with parameters $1, ... as text.
  std::vector<std::string> run(const std::string& sql, const std::vector<std::string>& parameters);
  /// The only row.
  std::string value(const std::string& sql);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep::postgres_test
