// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace threadkeep::testing {

/// Stands between clients and a server on this machine, and does to them what networks do.
///
///     TcpProxy proxy(server.port());
///     auto store = open(proxy.in_front_of(server.url()));
///     proxy.fall_silent();
///
/// A fault holds for open and for new connections, from the moment at which its function returns
/// until pass(). Faults add up: slow and in pieces, say. Thread-safe.
class TcpProxy {
 public:
  enum class Direction { to_server, to_client };

  /// Listens on a free port of 127.0.0.1.
  explicit TcpProxy(std::uint16_t server_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  std::uint16_t port() const noexcept;
  /// New connections go to that server; open ones go on.
  void lead_to(std::uint16_t server_port);
  /// The URL with the server's port replaced by that of the proxy.
  std::string in_front_of(std::string url) const;

  /// No faults from now on; what was held back by silence goes through.
  void pass();

  /// What comes in goes out that much later, both ways; a round trip takes twice as long.
  void delay(std::chrono::milliseconds time);
  /// Connections stay open and new ones are accepted, but nothing goes through, and nobody is told.
  void fall_silent();
  /// The same once that many more bytes went in the direction, over all connections.
  void fall_silent_after(Direction direction, std::size_t bytes);
  /// Open connections fall silent for good, whatever comes; new ones do not. So a firewall forgets
  /// connections that were idle for long.
  void forget();
  /// Resets all open connections, once.
  void cut();
  /// Resets the connection that carries the last of that many more bytes, once, after they went.
  void cut_after(Direction direction, std::size_t bytes);
  /// Resets every new connection as soon as it is accepted; open ones go on.
  void refuse();
  /// Bytes go out one by one, each in a packet of its own.
  void split();
  /// At most so many bytes a second, in each direction of each connection.
  void throttle(std::size_t bytes_per_second);
  /// Inverts one byte, the one that follows that many more in the direction; once.
  void corrupt_after(Direction direction, std::size_t bytes);

  struct Counts {
    std::size_t connections = 0;  ///< Accepted so far.
    std::size_t open = 0;         ///< Of these, not ended yet.
    std::size_t to_server = 0;    ///< Bytes that came from clients.
    std::size_t to_client = 0;    ///< Bytes that came from the server.
    /// How often a client began to speak, at first or after the server had: the round trips.
    std::size_t turns = 0;
  };
  Counts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep::testing
