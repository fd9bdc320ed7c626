// SPDX-License-Identifier: Apache-2.0
#include "hosts.hpp"

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>

#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

// What libpq takes where a list of ports leaves one out.
constexpr std::string_view default_port = "5432";

const std::string& item(const std::vector<std::string>& list, std::size_t index) {
  return list.size() == 1 ? list.front() : list.at(index);
}

void shuffle(std::vector<Host>& hosts) {
  const auto seed = std::chrono::steady_clock::now().time_since_epoch().count();
  std::shuffle(hosts.begin(), hosts.end(), std::mt19937_64(static_cast<std::uint64_t>(seed)));
}

bool needs_lookup(const Host& host) noexcept {
  const bool unix_socket = host.name.starts_with('/') || host.name.starts_with('@');
  return host.address.empty() && !host.name.empty() && !unix_socket;
}

std::string numeric(const addrinfo& info) {
  std::array<char, NI_MAXHOST> text{};
  const int failed = getnameinfo(info.ai_addr, info.ai_addrlen, text.data(), text.size(), nullptr,
                                 0, NI_NUMERICHOST);
  return failed == 0 ? text.data() : "";
}

struct Addresses {
  std::vector<std::string> found;
  int error = 0;
};

Addresses look_up(const std::string& name, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  Addresses result;
  result.error = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (result.error != 0) return result;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  for (const auto* info = list; info; info = info->ai_next) {
    if (auto text = numeric(*info); !text.empty()) result.found.push_back(std::move(text));
  }
  return result;
}

// What the thread of a look-up and the call that waits for it share; the last of them ends it.
struct LookUp {
  explicit LookUp(std::string wanted) : name(std::move(wanted)) {}
  ~LookUp() { close(done); }
  LookUp(const LookUp&) = delete;
  LookUp& operator=(const LookUp&) = delete;

  const std::string name;
  const int done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::mutex mutex;
  Addresses addresses;  // guarded by mutex
};

void run_look_up(const std::shared_ptr<LookUp>& state) noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  auto addresses = look_up(state->name, 0);
  {
    const std::scoped_lock lock(state->mutex);
    state->addresses = std::move(addresses);
  }
  const std::uint64_t one = 1;
  static_cast<void>(!write(state->done, &one, sizeof one));
}

std::shared_ptr<LookUp> start_look_up(const std::string& name) {
  auto state = std::make_shared<LookUp>(name);
  try {
    std::thread([state] { run_look_up(state); }).detach();
  } catch (const std::system_error& error) {
    throw Error(Code::unavailable, std::string("no thread to look up a host: ") + error.what());
  }
  return state;
}

Addresses look_up_in_time(const std::string& name, Waiter& waiter, const Deadline& deadline) {
  const auto state = start_look_up(name);
  switch (waiter.wait(state->done, POLLIN, deadline)) {
    case Waiter::Wake::ready: {
      const std::scoped_lock lock(state->mutex);
      return state->addresses;
    }
    case Waiter::Wake::stop:
      throw Error(Code::cancelled, "the caller asked to stop");
    case Waiter::Wake::deadline:
      break;
  }
  throw Error(Code::timeout, "no answer in time about the address of host '" + name + "'");
}

}  // namespace

std::vector<Host> hosts_of(const Keywords& keywords) {
  const auto names = split_list(value_of(keywords, "host"));
  const auto addresses = split_list(value_of(keywords, "hostaddr"));
  const auto ports = split_list(value_of(keywords, "port"));
  const auto count = std::max(names.size(), addresses.size());
  const auto fits = [&](const auto& list) { return list.size() == 1 || list.size() == count; };
  if (!fits(names) || !fits(addresses) || !fits(ports)) {
    throw Error(Code::invalid_argument, "host, hostaddr and port must name equally many");
  }
  if (count == 1 && names[0].empty() && addresses[0].empty()) return {Host{}};
  std::vector<Host> hosts;
  for (std::size_t i = 0; i < count; ++i) {
    Host host{item(names, i), item(addresses, i), item(ports, i)};
    if (host.name.empty() && host.address.empty()) {
      throw Error(Code::invalid_argument, "one of several hosts has no name");
    }
    if (host.port.empty()) host.port = default_port;
    hosts.push_back(std::move(host));
  }
  if (value_of(keywords, "load_balance_hosts") == "random") shuffle(hosts);
  return hosts;
}

std::vector<Host> resolve(const Host& host, Waiter& waiter, const Deadline& deadline) {
  if (!needs_lookup(host)) return {host};
  auto addresses = look_up(host.name, AI_NUMERICHOST);
  if (addresses.error != 0) addresses = look_up_in_time(host.name, waiter, deadline);
  if (addresses.found.empty()) {
    throw Error(Code::unavailable, "no address of host '" + host.name +
                                       "': " + gai_strerror(addresses.error) +
                                       "; check the name, and the network");
  }
  std::vector<Host> hosts;
  for (std::string& address : addresses.found) {
    hosts.push_back({host.name, std::move(address), host.port});
  }
  return hosts;
}

}  // namespace threadkeep::postgres
