// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "reply.hpp"
#include "settings.hpp"
#include "stream.hpp"
#include "threadkeep/call.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::redis {

/// What a server says about itself. Empty where a proxy does not let us ask.
struct Server {
  std::string name;     ///< "redis", "valkey"
  std::string version;  ///< "7.0.15"
  int major = 0;
  int minor = 0;
  bool has_waitaof = false;  ///< Set where durability by fsync is asked for.
  bool is_master = false;    ///< It says so.
  /// Which sentinel named which address; empty where none was asked.
  std::string found_by;

  bool at_least(int wanted_major, int wanted_minor) const noexcept {
    return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
  }
};

/// What became of the commands of a pipeline.
struct Exchange {
  std::vector<Reply> replies;    ///< Of the first commands, in order; of all if nothing failed.
  std::size_t sent = 0;          ///< Bytes that were handed to the system: the server has no more.
  std::optional<Error> failure;  ///< unavailable, timeout or cancelled.
};

/// One connection to the server, used by one caller at a time. All waiting is on an io_context of
/// its own, run by the caller, so that every function ends when the call's deadline passes or its
/// stop is requested, whatever the server or the network does. A connection on which anything
/// failed is broken: what is still under way on it can never be taken for another answer.
class Connection {
 public:
  /// Connects; see handshake.hpp for what follows. Throws Error.
  Connection(const Settings& settings, const Call& call);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

  /// Sends all commands at once and collects the replies; errors of the server are among those.
  /// From `point_of_no_return` on, in bytes sent, a requested stop comes too late and is ignored.
  Exchange exchange(const Pipeline& pipeline, const Call& call,
                    std::size_t point_of_no_return = never);

  /// The replies of commands that only read; throws the failure or the first error.
  std::vector<Reply> read(const Pipeline& pipeline, const Call& call);

  /// Filled in by the handshake.
  Server& server() noexcept { return server_; }
  const Server& server() const noexcept { return server_; }
  bool broken() const noexcept { return broken_; }
  /// Broken because the server is a replica now or, where sentinels can name another one, does not
  /// answer: other connections to it are no better.
  bool server_lost() const noexcept { return server_lost_; }
  /// Looks at the socket without a round trip.
  bool alive() noexcept { return !broken_ && stream_->alive(); }

 private:
  struct Transfer;

  void connect(const Settings& settings, const Call& call);
  void write_more(Transfer& transfer);
  void read_more(Transfer& transfer);
  void take_replies(Transfer& transfer, std::size_t size);
  template <class Done, class MayStop>
  std::optional<Error> run_until(const Done& done, const Call& call, const MayStop& may_stop);
  void break_off() noexcept;

  asio::io_context context_{1};
  std::unique_ptr<Stream> stream_;
  ReplyReader reader_;
  std::array<char, 64 * 1024> buffer_;
  bool broken_ = false;
  bool server_lost_ = false;
  Server server_;
};

}  // namespace threadkeep::redis
