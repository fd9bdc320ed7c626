// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "result.hpp"
#include "threadkeep/session_model.hpp"

/// \file
/// Rows of messages and documents, with the columns that messages.sql and state.sql name first.

namespace threadkeep::postgres {

Message read_message(const Result& rows, std::size_t row);
StateDocument read_document(const Result& rows, std::size_t row);

}  // namespace threadkeep::postgres
