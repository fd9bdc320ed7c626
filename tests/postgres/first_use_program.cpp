// SPDX-License-Identifier: Apache-2.0
// Uses a store for the first time: `first_use URL`.
#include <iostream>
#include <threadkeep/threadkeep.hpp>

int main(int, char** argv) try {
  const auto store = threadkeep::open(argv[1]);
  store->threads({}, {});
  return 0;
} catch (const threadkeep::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
