// SPDX-License-Identifier: Apache-2.0
#include "session_rows.hpp"

namespace threadkeep::postgres {

Message read_message(const Result& rows, std::size_t row) {
  return {.stream = rows.text(row, 0),
          .seq = rows.integer(row, 1),
          .id = rows.text(row, 2),
          .role = rows.text(row, 3),
          .content = rows.text(row, 7),
          .metadata = rows.text(row, 6),
          .created_at = rows.timestamp(row, 4),
          .version = rows.integer(row, 5)};
}

StateDocument read_document(const Result& rows, std::size_t row) {
  return {rows.text(row, 0), rows.text(row, 1), rows.integer(row, 2)};
}

}  // namespace threadkeep::postgres
