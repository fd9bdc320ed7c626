// SPDX-License-Identifier: Apache-2.0
#include "mixed_load.hpp"

#include <gtest/gtest.h>

#include "chaos_store.hpp"

namespace threadkeep::postgres_test {
namespace {

TEST(MixedLoad, of_many_threads_on_few_connections_ends_as_if_each_were_alone) {
  const Schema schema;
  run_mixed_load(open(schema.url() + "&pool_size=8"));
}

}  // namespace
}  // namespace threadkeep::postgres_test
