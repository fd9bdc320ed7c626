// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/reading.hpp"

namespace threadkeep::ops {

/// What stands below the key `retention`; policies in their order. What is wrong with it is noted
/// in `reading`, each problem with its place.
RetentionConfig take_retention(Reading& reading, const Reading::Member& retention);

}  // namespace threadkeep::ops
