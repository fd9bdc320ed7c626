// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/testing/access.hpp"

namespace threadkeep::testing {

std::unique_ptr<Access> make_async_access(std::shared_ptr<Store> store);

}  // namespace threadkeep::testing
