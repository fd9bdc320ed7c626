// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "keywords.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::postgres {

enum class Prepare {
  automatic,  ///< Statements are prepared unless a pooler stands between.
  always,
  never,
};

/// What the URL of a store says. Parameters that libpq knows go to libpq as they are.
struct Settings {
  Keywords connection;  ///< libpq's keywords and values; what is absent libpq looks up itself
                        ///< (environment, service file, password file, defaults).
  std::optional<Keywords> direct;     ///< `direct_url`: where setup connects, past a pooler.
  std::optional<std::string> schema;  ///< `schema`; absent: the first of the search path.
  std::size_t pool_size = 10;         ///< `pool_size`: connections at most.
  std::chrono::milliseconds pool_wait{5'000};         ///< `pool_wait`: for a free connection.
  std::chrono::milliseconds pool_idle_check{30'000};  ///< `pool_idle_check`: idle longer than
                                                      ///< this, a connection is tried before use.
  std::chrono::milliseconds pool_max_lifetime{1'800'000};  ///< `pool_max_lifetime`; zero: no end.
  std::chrono::milliseconds connect_timeout{10'000};  ///< For one address; zero: no limit but the
                                                      ///< call's. libpq's `connect_timeout`
                                                      ///< (seconds) when given.
  Prepare prepare = Prepare::automatic;               ///< `prepare=auto|always|never`

  FirstUse first_use = FirstUse::creates;  ///< Not of the URL.

  /// For messages: hosts, ports, database, user, schema; never a password.
  std::string place;
};

/// The settings by which setup connects: those of `direct_url` if there is one.
Settings for_setup(const Settings& settings);

/// Takes everything that is known from the URL and calls finish() on it.
Settings read_settings(Url& url);

}  // namespace threadkeep::postgres
