// SPDX-License-Identifier: Apache-2.0
#include "commit_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace threadkeep::testing {

namespace {

constexpr int look_around = 50;  // milliseconds, until a thread sees that all ends
constexpr std::string_view committed(
    "C\0\0\0\x0b"
    "COMMIT\0",
    12);

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string receive(int socket) {
  std::array<char, 65536> space{};
  const auto size = ::recv(socket, space.data(), space.size(), 0);
  return {space.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::size_t length_at(std::string_view text, std::size_t place) {
  std::uint32_t length = 0;
  std::memcpy(&length, text.data() + place, sizeof length);
  return ntohl(length);
}

}  // namespace

/// One client with a connection of its own to the server.
struct CommitProxy::Session {
  int client = -1;
  int server = -1;
  bool greeted = false;      // messages of the client have a type after the first one
  bool hold_answer = false;  // of a commit that the server has
  std::string pending;       // of the client, not a whole message yet
  std::string answers;       // of the server, while they are held
  std::map<std::string, bool, std::less<>> commits;  // statements by name
};

CommitProxy::CommitProxy(std::uint16_t server_port)
    : server_port_(server_port), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = local(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

CommitProxy::~CommitProxy() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = released_ = true;
  }
  changed_.notify_all();
  acceptor_.join();
  for (auto& each : sessions_) each.join();
  ::close(listener_);
}

void CommitProxy::hold(int number, Edge edge) {
  const std::lock_guard lock(mutex_);
  commits_ = 0;
  wanted_ = number;
  edge_ = edge;
  held_ = released_ = false;
}

bool CommitProxy::wait_until_held(std::chrono::seconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [&] { return held_; });
}

void CommitProxy::release() {
  std::unique_lock lock(mutex_);
  released_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !held_; });
}

int CommitProxy::commits() {
  const std::lock_guard lock(mutex_);
  return commits_;
}

void CommitProxy::accept_all() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
    }
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, look_around) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) sessions_.emplace_back([this, client] { serve(client); });
  }
}

void CommitProxy::serve(int client) {
  Session session;
  session.client = client;
  session.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = local(server_port_);
  bool open =
      ::connect(session.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int at_once = 1;
  ::setsockopt(session.server, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  ::setsockopt(session.client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  while (open) {
    std::array<pollfd, 2> waiting = {pollfd{session.client, POLLIN, 0},
                                     pollfd{session.server, POLLIN, 0}};
    const int ready = ::poll(waiting.data(), waiting.size(), look_around);
    if (ready > 0 && waiting[0].revents != 0) open = forward_from_client(session);
    if (open && ready > 0 && waiting[1].revents != 0) open = forward_from_server(session);
    const std::lock_guard lock(mutex_);
    if (ending_) open = false;
  }
  ::close(session.client);
  ::close(session.server);
}

bool CommitProxy::forward_from_client(Session& session) {
  const std::string text = receive(session.client);
  if (text.empty()) return false;
  session.pending += text;
  while (true) {
    const std::size_t type = session.greeted ? 1 : 0;
    if (session.pending.size() < type + 4) return true;
    const std::size_t size = type + length_at(session.pending, type);
    if (session.pending.size() < size) return true;
    const std::string message = session.pending.substr(0, size);
    session.pending.erase(0, size);
    // The wish for encryption is refused by one letter, and greeted anew.
    const bool greeting = !session.greeted;
    if (greeting) session.greeted = length_at(message, 0) != 8;
    if (!greeting && is_commit(session, message) && !meet_commit(session)) return false;
    if (!send_all(session.server, message)) return false;
  }
}

bool CommitProxy::forward_from_server(Session& session) {
  const std::string text = receive(session.server);
  if (text.empty()) return false;
  if (!session.hold_answer) return send_all(session.client, text);
  session.answers += text;
  if (session.answers.find(committed) == std::string::npos) return true;
  stay_held();
  return false;
}

// Whether a statement is carried out that commits. It may have been prepared before.
bool CommitProxy::is_commit(Session& session, std::string_view message) {
  const char type = message.front();
  message.remove_prefix(5);
  if (type == 'P') {
    const std::string name(message.substr(0, message.find('\0')));
    session.commits[name] =
        message.substr(name.size() + 1).starts_with(std::string_view("COMMIT\0", 7));
  }
  if (type != 'B') return false;
  message.remove_prefix(message.find('\0') + 1);
  const auto found = session.commits.find(message.substr(0, message.find('\0')));
  return found != session.commits.end() && found->second;
}

// Whether it goes on to the server.
bool CommitProxy::meet_commit(Session& session) {
  Edge edge{};
  {
    const std::lock_guard lock(mutex_);
    if (++commits_ != wanted_) return true;
    edge = edge_;
  }
  if (edge != Edge::after) {
    stay_held();
    return edge == Edge::late;
  }
  session.hold_answer = true;
  return true;
}

void CommitProxy::stay_held() {
  std::unique_lock lock(mutex_);
  held_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return released_; });
  held_ = false;
  changed_.notify_all();
}

}  // namespace threadkeep::testing
