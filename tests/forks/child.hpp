// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "postgres/processes.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::forks_test {

/// Runs `body` in a forked child; false when it throws or waits for ever.
inline bool succeeds_in_child(const std::function<void()>& body) {
  postgres_test::Child child([&] {
    alarm(30);  // whoever waits for a thread of the parent waits for ever
    body();
  });
  return child.succeeded();
}

/// Throws unless `call` ends with `unsupported`, which says why.
inline void expect_refused(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    const bool says_why = error.message().find("fork") != std::string::npos;
    if (error.code() == Code::unsupported && says_why) return;
    throw;
  }
  throw std::runtime_error("a store of the parent was used");
}

}  // namespace threadkeep::forks_test
