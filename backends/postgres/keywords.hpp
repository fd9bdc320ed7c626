// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "threadkeep/url.hpp"

/// \file
/// libpq's keywords and values, such as `host` and `sslmode`.

namespace threadkeep::postgres {

/// In the order in which they were found; each keyword once.
using Keywords = std::vector<std::pair<std::string, std::string>>;

/// The value of a keyword, empty when absent.
std::string value_of(const Keywords& keywords, std::string_view name);

/// With what libpq would add where they say nothing: from the service that they or PGSERVICE name,
/// the environment (PGHOST, ...), its defaults.
Keywords with_defaults(const Keywords& keywords);

/// Sets or replaces a value.
void set_value(Keywords& keywords, std::string_view name, std::string_view value);
void remove_value(Keywords& keywords, std::string_view name);

/// What the authority, the path and the parameters of a URL say to libpq; a parameter wins. Adds
/// the URL's problems, and does not call finish().
Keywords take_keywords(Url& url);

/// For messages: hosts, ports, database and user as a URL, without a password.
std::string place_of(const Keywords& keywords);

/// The parts of a list such as `host1,host2`; one empty part for an empty text.
std::vector<std::string> split_list(std::string_view list);

}  // namespace threadkeep::postgres
