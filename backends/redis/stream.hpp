// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/buffer.hpp>
#include <asio/error_code.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "settings.hpp"

namespace threadkeep::redis {

/// A stream of bytes to a server: TCP, a unix socket, or TLS over TCP. Completions run on the
/// io_context. Not thread-safe.
class Stream {
 public:
  using Connected = std::function<void(asio::error_code)>;
  using Moved = std::function<void(asio::error_code, std::size_t)>;

  virtual ~Stream() = default;

  /// Connects, to the first address that answers; a unix socket needs none. TLS shakes hands and
  /// verifies that the certificate is trusted and names the host.
  virtual void connect(std::span<const asio::ip::tcp::endpoint> addresses, Connected done) = 0;
  virtual void read_some(asio::mutable_buffer into, Moved done) = 0;
  virtual void write_some(std::span<const asio::const_buffer> from, Moved done) = 0;
  /// False when the peer has closed it, or when it says something that nobody asked for.
  virtual bool alive() noexcept = 0;
  /// Ends what is under way with an error.
  virtual void close() noexcept = 0;
};

/// Throws Error(invalid_argument) when a file of TLS cannot be used.
std::unique_ptr<Stream> make_stream(asio::io_context& context, const Settings& settings);

}  // namespace threadkeep::redis
