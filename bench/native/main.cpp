// SPDX-License-Identifier: Apache-2.0
//
// Compares the C++ interface with the least that its databases allow: what a put costs beyond the
// statements and bytes that it stands for.
//
//   bench_native [--quick] [postgres] [redis] [sqlite] [tiered]
//
// Starts private servers. A put has 2 values of 4 KiB; a ratio of 1 means that threadkeep costs
// nothing. The numbers of --quick mean nothing; it shows that all works.

#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "load.hpp"

int main(int argc, char** argv) try {
  const std::map<std::string, void (*)()> all{{"postgres", bench::compare_postgres},
                                              {"redis", bench::compare_redis},
                                              {"sqlite", bench::compare_sqlite},
                                              {"tiered", bench::compare_tiered}};
  std::vector<std::string> names(argv + 1, argv + argc);
  if (!names.empty() && names.front() == "--quick") {
    names.erase(names.begin());
    bench::seconds = 1;
    bench::repetitions = 1;
  }
  if (names.empty()) names = {"postgres", "redis", "sqlite", "tiered"};
  for (const auto& name : names) all.at(name)();
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
