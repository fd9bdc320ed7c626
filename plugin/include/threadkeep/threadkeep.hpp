// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Everything but the asynchronous interface (threadkeep/async.hpp, which needs asio).

#include "threadkeep/checkpointer.hpp"
#include "threadkeep/ids.hpp"
#include "threadkeep/layers.hpp"
#include "threadkeep/log.hpp"
#include "threadkeep/metrics.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/session_store.hpp"
#include "threadkeep/store.hpp"
