// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postgres_backends.hpp"
#include "raw_database.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/testing/draft.hpp"

/// \file
/// What the tests of faults, races and crashes share.

namespace threadkeep::postgres_test {

using testing::Draft;
using testing::pending;

/// A number as an id whose order is that of the numbers.
std::string padded(int number);

/// A schema for as long as the object lives.
class Schema {
 public:
  explicit Schema(testing::PostgresSchemas& schemas = testing::bytewise_schemas())
      : schemas_(schemas), name_(schemas.take()) {}
  ~Schema() { schemas_.give_back(name_); }
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  const std::string& name() const noexcept { return name_; }
  std::string url() const { return schemas_.url(name_); }

 private:
  testing::PostgresSchemas& schemas_;
  const std::string name_;
};

std::unique_ptr<Backend> open_backend(const std::string& url);

/// A call that must end within that time.
Call within(std::chrono::milliseconds time);

/// The error that a call ends with, thrown or as an outcome; none when it succeeds. What is no
/// Error is passed on.
std::optional<Error> error_of(const std::function<void()>& call);
/// As error_of, for one that must fail.
Error must_fail(const std::function<void()>& call);

/// Applies one mutation and throws its error.
Written apply(Backend& backend, Mutation mutation, const Call& call = Call());

std::chrono::milliseconds duration_of(const std::function<void()>& call);
/// Waits until `condition` holds; false when it does not after half a minute.
bool comes_true(const std::function<bool()>& condition);

}  // namespace threadkeep::postgres_test
