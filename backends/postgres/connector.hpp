// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <memory>

#include "fork_locks.hpp"
#include "settings.hpp"
#include "threadkeep/call.hpp"
#include "waiter.hpp"

namespace threadkeep::postgres {

struct FinishConnection {
  void operator()(PGconn* connection) const noexcept {
    const NoForkNow now;
    PQfinish(connection);
  }
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;

/// Connects without ever blocking: to the first host and address that answers and fits
/// target_session_attrs, each for at most Settings::connect_timeout. Only libpq's own look-ups of
/// Kerberos and LDAP may block. Throws Error.
ConnectionHandle connect(const Settings& settings, Waiter& waiter, const Call& call);

}  // namespace threadkeep::postgres
