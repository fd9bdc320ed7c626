// SPDX-License-Identifier: Apache-2.0
#include "chaos_store.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

namespace threadkeep::postgres_test {

using namespace std::chrono_literals;

std::string padded(int number) {
  const std::string digits = std::to_string(number);
  return std::string(6 - digits.size(), '0') + digits;
}

std::unique_ptr<Backend> open_backend(const std::string& url) {
  return Registry::builtin().open(url);
}

Call within(std::chrono::milliseconds time) {
  return Call{Deadline::after(time), {}};
}

std::optional<Error> error_of(const std::function<void()>& call) {
  try {
    call();
    return {};
  } catch (const Error& error) {
    return error;
  }
}

Error must_fail(const std::function<void()>& call) {
  if (auto error = error_of(call)) return *error;
  ADD_FAILURE() << "an error was expected";
  return Error(Code::internal, "none");
}

Written apply(Backend& backend, Mutation mutation, const Call& call) {
  const auto outcome = backend.apply({&mutation, 1}, call).front();
  if (outcome.error) throw *outcome.error;
  return outcome.written;
}

std::chrono::milliseconds duration_of(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  const auto lasted = std::chrono::steady_clock::now() - start;
  return std::chrono::duration_cast<std::chrono::milliseconds>(lasted);
}

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

}  // namespace threadkeep::postgres_test
