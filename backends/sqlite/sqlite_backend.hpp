// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/backend.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::sqlite {

/// Opens `sqlite:PATH?busy=5s&synchronous=full|normal`: a file that any number of processes may use
/// at once. Created on first use. Its format is described in docs/storage/sqlite.md.
std::unique_ptr<Backend> open(Url& url, const Environment& environment);

}  // namespace threadkeep::sqlite
