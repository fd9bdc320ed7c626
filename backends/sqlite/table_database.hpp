// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/table_store.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::sqlite {

/// Opens the file of a `sqlite:` URL, which has the parameters of a store's, as tables. Throws
/// Error; unavailable when there is no file, corrupt when it is no database.
std::unique_ptr<tables::Database> open_tables(Url& url, const Call& call);

}  // namespace threadkeep::sqlite
