// SPDX-License-Identifier: Apache-2.0
#include "connector.hpp"

#include <poll.h>

#include <algorithm>
#include <new>
#include <vector>

#include "error_map.hpp"
#include "hosts.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

// What libpq is told for one attempt.
Keywords keywords_for(const Keywords& connection, const Host& host, std::string_view session) {
  Keywords keywords = connection;
  remove_value(keywords, "load_balance_hosts");  // done already
  if (!host.name.empty()) set_value(keywords, "host", host.name);
  if (!host.address.empty()) set_value(keywords, "hostaddr", host.address);
  if (!host.port.empty()) set_value(keywords, "port", host.port);
  if (!session.empty()) set_value(keywords, "target_session_attrs", session);
  set_value(keywords, "client_encoding", "UTF8");
  set_value(keywords, "fallback_application_name", "threadkeep");
  return keywords;
}

// libpq would print them.
void ignore_notice(void*, const PGresult*) {}

ConnectionHandle start(const Keywords& keywords) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : keywords) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  ConnectionHandle connection([&] {
    const NoForkNow now;
    return PQconnectStartParams(names.data(), values.data(), 0);
  }());
  if (!connection) throw std::bad_alloc();
  PQsetNoticeReceiver(connection.get(), ignore_notice, nullptr);
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);  // with the SQLSTATE
  return connection;
}

/// The search for a host that answers.
class Search {
 public:
  Search(const Settings& settings, Waiter& waiter, const Call& call)
      : settings_(settings), waiter_(waiter), call_(call) {}

  ConnectionHandle run();

 private:
  ConnectionHandle try_all(const std::vector<Host>& hosts, std::string_view session);
  ConnectionHandle try_host(const Host& host, std::string_view session);
  ConnectionHandle try_address(const Host& host, std::string_view session);
  bool wait(PGconn* connection, PostgresPollingStatusType status, const Deadline& deadline);
  void note(ConnectFailure failure);
  void weigh_addresses(std::size_t first);
  Deadline deadline_of_attempt() const;
  [[noreturn]] void fail(Code code, std::string_view message, std::string_view state = {}) const;

  const Settings& settings_;
  Waiter& waiter_;
  const Call& call_;
  std::vector<ConnectFailure> failures_;
};

ConnectionHandle Search::run() {
  const auto keywords = with_defaults(settings_.connection);
  const auto hosts = hosts_of(keywords);
  const auto session = value_of(keywords, "target_session_attrs");
  if (session != "prefer-standby") {
    if (auto connection = try_all(hosts, {})) return connection;
  } else {
    if (auto connection = try_all(hosts, "standby")) return connection;
    failures_.clear();
    if (auto connection = try_all(hosts, "any")) return connection;
  }
  std::string messages;
  for (const ConnectFailure& failure : failures_) {
    if (messages.find(failure.message) != std::string::npos) continue;
    messages += (messages.empty() ? "" : "; ") + failure.message;
  }
  // A host that may come back is worth another try, whatever the others said.
  const bool may_return = std::any_of(failures_.begin(), failures_.end(), [](const auto& failure) {
    return failure.code == Code::unavailable;
  });
  fail(may_return ? Code::unavailable : failures_.back().code, messages, failures_.back().state);
}

ConnectionHandle Search::try_all(const std::vector<Host>& hosts, std::string_view session) {
  for (const Host& host : hosts) {
    if (auto connection = try_host(host, session)) return connection;
  }
  return nullptr;
}

ConnectionHandle Search::try_host(const Host& host, std::string_view session) {
  std::vector<Host> addresses;
  try {
    addresses = resolve(host, waiter_, deadline_of_attempt());
  } catch (const Error& error) {
    check_call(call_);
    note({Code::unavailable, {}, error.message()});
  }
  const std::size_t before = failures_.size();
  for (const Host& address : addresses) {
    if (auto connection = try_address(address, session)) return connection;
  }
  weigh_addresses(before);
  return nullptr;
}

// A name has several addresses, and a server need not listen at all of them ("localhost"). What it
// said at one counts for its silence at the others.
void Search::weigh_addresses(std::size_t first) {
  const auto begin = failures_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto answer = std::find_if(begin, failures_.end(), [](const ConnectFailure& failure) {
    return failure.code != Code::unavailable;
  });
  if (answer == failures_.end()) return;
  const Code code = answer->code;
  std::for_each(begin, failures_.end(), [&](ConnectFailure& failure) { failure.code = code; });
}

ConnectionHandle Search::try_address(const Host& host, std::string_view session) {
  const Deadline deadline = deadline_of_attempt();
  auto connection = start(keywords_for(settings_.connection, host, session));
  // libpq's manual: poll for writing before the first PQconnectPoll.
  auto status =
      PQstatus(connection.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
    if (!wait(connection.get(), status, deadline)) {
      const auto limit = std::to_string(settings_.connect_timeout.count());
      note({Code::unavailable,
            {},
            "no answer of " + (host.name.empty() ? host.address : host.name) + " within " + limit +
                "ms (connect_timeout)"});
      return nullptr;
    }
    const NoForkNow now;
    status = PQconnectPoll(connection.get());
  }
  if (status == PGRES_POLLING_OK) return connection;
  note(connect_failure(PQerrorMessage(connection.get())));
  return nullptr;
}

// False when the time of the attempt is over; throws when that of the call is.
bool Search::wait(PGconn* connection, PostgresPollingStatusType status, const Deadline& deadline) {
  const auto events = static_cast<short>(status == PGRES_POLLING_READING ? POLLIN : POLLOUT);
  switch (waiter_.wait(PQsocket(connection), events, deadline)) {
    case Waiter::Wake::ready:
      return true;
    case Waiter::Wake::stop:
      fail(Code::cancelled, "the caller asked to stop");
    case Waiter::Wake::deadline:
      break;
  }
  if (call_.deadline.passed()) fail(Code::timeout, "the deadline passed");
  return false;
}

void Search::note(ConnectFailure failure) {
  if (failure.is_final()) fail(failure.code, failure.message, failure.state);
  failures_.push_back(std::move(failure));
}

Deadline Search::deadline_of_attempt() const {
  if (settings_.connect_timeout == settings_.connect_timeout.zero()) return call_.deadline;
  return std::min(call_.deadline, Deadline::after(settings_.connect_timeout));
}

void Search::fail(Code code, std::string_view message, std::string_view state) const {
  throw Error(code, "cannot connect to " + settings_.place + ": " + std::string(message), state);
}

}  // namespace

ConnectionHandle connect(const Settings& settings, Waiter& waiter, const Call& call) {
  check_call(call);
  return Search(settings, waiter, call).run();
}

}  // namespace threadkeep::postgres
