// SPDX-License-Identifier: Apache-2.0
#include "layer_keys.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/table_store.hpp"
#include "threadkeep/url.hpp"

#ifdef THREADKEEP_WITH_POSTGRES
#include "postgres/table_database.hpp"
#endif
#ifdef THREADKEEP_WITH_SQLITE
#include "sqlite/table_database.hpp"
#endif

namespace threadkeep::tables {

std::unique_ptr<Database> open_database(std::string_view url, const Call& call) {
  Url parsed = Url::parse(url);
  static_cast<void>(take_layer_keys(parsed));  // checked; layers are around stores of threads only
#ifdef THREADKEEP_WITH_POSTGRES
  if (parsed.scheme() == "postgres" || parsed.scheme() == "postgresql") {
    return postgres::open_tables(std::move(parsed), call);
  }
#endif
#ifdef THREADKEEP_WITH_SQLITE
  if (parsed.scheme() == "sqlite") return sqlite::open_tables(parsed, call);
#endif
  throw Error(Code::unsupported, "application tables cannot be read through " + parsed.scheme() +
                                     "; give the URL of a database (postgresql://, sqlite:)");
}

}  // namespace threadkeep::tables
