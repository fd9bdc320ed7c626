// SPDX-License-Identifier: Apache-2.0
#include "stream.hpp"

#include <sys/socket.h>

#include <asio/connect.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/ssl.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "fork_locks.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::redis {

namespace {

using asio::ip::tcp;
using Addresses = std::span<const tcp::endpoint>;

enum class Look { open, closed, has_data };

Look look_at(int socket) noexcept {
  char byte = 0;
  const auto size = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (size > 0) return Look::has_data;
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Look::open : Look::closed;
}

// A command goes out at once, and a host that is gone is noticed some day.
void tune(tcp::socket& socket) {
  asio::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

class TcpStream final : public Stream {
 public:
  explicit TcpStream(asio::io_context& context) : socket_(context) {}

  void connect(Addresses addresses, Connected done) override {
    addresses_.assign(addresses.begin(), addresses.end());
    asio::async_connect(socket_, addresses_,
                        [this, done = std::move(done)](asio::error_code failed, const auto&) {
                          if (!failed) tune(socket_);
                          done(failed);
                        });
  }
  void read_some(asio::mutable_buffer into, Moved done) override {
    socket_.async_read_some(into, std::move(done));
  }
  void write_some(std::span<const asio::const_buffer> from, Moved done) override {
    socket_.async_write_some(from, std::move(done));
  }
  bool alive() noexcept override { return look_at(socket_.native_handle()) == Look::open; }
  void close() noexcept override {
    asio::error_code ignored;
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
  std::vector<tcp::endpoint> addresses_;
};

class UnixStream final : public Stream {
 public:
  UnixStream(asio::io_context& context, std::string path)
      : socket_(context), path_(std::move(path)) {}

  void connect(Addresses, Connected done) override {
    socket_.async_connect(asio::local::stream_protocol::endpoint(path_), std::move(done));
  }
  void read_some(asio::mutable_buffer into, Moved done) override {
    socket_.async_read_some(into, std::move(done));
  }
  void write_some(std::span<const asio::const_buffer> from, Moved done) override {
    socket_.async_write_some(from, std::move(done));
  }
  bool alive() noexcept override { return look_at(socket_.native_handle()) == Look::open; }
  void close() noexcept override {
    asio::error_code ignored;
    socket_.close(ignored);
  }

 private:
  asio::local::stream_protocol::socket socket_;
  const std::string path_;
};

asio::ssl::context make_tls_context(const Settings& settings) {
  const NoForkNow now;
  try {
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    if (settings.tls_ca.empty()) {
      context.set_default_verify_paths();
    } else {
      context.load_verify_file(settings.tls_ca);
    }
    if (!settings.tls_cert.empty()) {
      context.use_certificate_chain_file(settings.tls_cert);
      context.use_private_key_file(settings.tls_key, asio::ssl::context::pem);
    }
    context.set_verify_mode(asio::ssl::verify_peer);
    return context;
  } catch (const asio::system_error& error) {
    throw Error(Code::invalid_argument,
                std::string("url: tls_ca, tls_cert or tls_key: ") + error.what());
  }
}

class TlsStream final : public Stream {
 public:
  TlsStream(asio::io_context& context, const Settings& settings)
      : tls_(make_tls_context(settings)), stream_(context, tls_) {
    asio::error_code not_an_address;
    asio::ip::make_address(settings.host, not_an_address);
    // Servers choose a certificate by the name; an address is none (RFC 6066, section 3).
    if (not_an_address) name_host(settings.host);
    stream_.set_verify_callback(asio::ssl::host_name_verification(settings.host));
  }

  void connect(Addresses addresses, Connected done) override {
    addresses_.assign(addresses.begin(), addresses.end());
    asio::async_connect(stream_.next_layer(), addresses_,
                        [this, done = std::move(done)](asio::error_code failed, const auto&) {
                          if (failed) return done(failed);
                          tune(stream_.next_layer());
                          stream_.async_handshake(asio::ssl::stream_base::client, done);
                        });
  }
  void read_some(asio::mutable_buffer into, Moved done) override {
    stream_.async_read_some(into, std::move(done));
  }
  void write_some(std::span<const asio::const_buffer> from, Moved done) override {
    stream_.async_write_some(from, std::move(done));
  }
  // What is there may be a session ticket, which a server sends unasked.
  bool alive() noexcept override {
    return look_at(stream_.next_layer().native_handle()) != Look::closed;
  }
  void close() noexcept override {
    asio::error_code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  // As SSL_set_tlsext_host_name does, whose macro casts in the style of C.
  void name_host(std::string host) {
    SSL_ctrl(stream_.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             host.data());
  }

  asio::ssl::context tls_;
  asio::ssl::stream<tcp::socket> stream_;
  std::vector<tcp::endpoint> addresses_;
};

}  // namespace

std::unique_ptr<Stream> make_stream(asio::io_context& context, const Settings& settings) {
  if (!settings.socket.empty()) return std::make_unique<UnixStream>(context, settings.socket);
  if (settings.tls) return std::make_unique<TlsStream>(context, settings);
  return std::make_unique<TcpStream>(context);
}

}  // namespace threadkeep::redis
