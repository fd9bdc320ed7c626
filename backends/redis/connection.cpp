// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <atomic>
#include <utility>

#include "error_map.hpp"
#include "resolve.hpp"

namespace threadkeep::redis {

namespace {

// After this answer the server closes the connection, at some moment.
bool gave_up(const std::vector<Reply>& replies) {
  return std::any_of(replies.begin(), replies.end(), [](const Reply& reply) {
    return reply.is_error() && reply.view().starts_with("ERR Protocol error");
  });
}

// A master that became a replica keeps its connections. In version 6 a script says it in the middle
// of its message.
bool became_replica(const std::vector<Reply>& replies) {
  return std::any_of(replies.begin(), replies.end(), [](const Reply& reply) {
    return reply.is_error() && reply.view().find("READONLY ") != std::string_view::npos;
  });
}

// As many pieces as a system call takes at once in asio.
constexpr std::size_t most_pieces = 64;

Error not_reached(const Settings& settings, const asio::error_code& failed) {
  return Error(Code::unavailable, "cannot connect to " + settings.place + ": " + failed.message());
}

}  // namespace

// What is under way during one exchange, and how far it has come.
struct Connection::Transfer {
  std::vector<std::string_view> pieces;
  std::size_t piece = 0;   // the first that is not all sent
  std::size_t offset = 0;  // what of it is
  std::vector<asio::const_buffer> sending;
  std::size_t expected = 0;
  Exchange exchange;
  bool finished = false;

  bool all_sent() const { return piece == pieces.size(); }

  void gather() {
    sending.clear();
    for (std::size_t i = piece; i < pieces.size() && sending.size() < most_pieces; ++i) {
      const auto rest = pieces[i].substr(i == piece ? offset : 0);
      sending.emplace_back(rest.data(), rest.size());
    }
  }

  void advance(std::size_t size) {
    exchange.sent += size;
    offset += size;
    while (piece < pieces.size() && offset >= pieces[piece].size()) {
      offset -= pieces[piece].size();
      ++piece;
    }
  }

  void fail(const std::string& why) {
    if (!exchange.failure) exchange.failure = Error(Code::unavailable, why);
    finished = true;
  }
};

Connection::Connection(const Settings& settings, const Call& call)
    : stream_(make_stream(context_, settings)) {
  connect(settings, call);
}

Connection::~Connection() {
  break_off();
}

void Connection::connect(const Settings& settings, const Call& call) {
  std::vector<asio::ip::tcp::endpoint> addresses;
  if (settings.socket.empty()) addresses = resolve(settings, call);
  bool done = false;
  asio::error_code failed;
  stream_->connect(addresses, [&](asio::error_code result) {
    failed = result;
    done = true;
  });
  const auto ended = run_until([&] { return done; }, call, [] { return true; });
  if (ended) break_off();
  if (ended) throw Error(*ended);
  if (failed) throw not_reached(settings, failed);
}

// Runs completions until `done`, and makes an error of a deadline or a stop that comes first.
template <class Done, class MayStop>
std::optional<Error> Connection::run_until(const Done& done, const Call& call,
                                           const MayStop& may_stop) {
  const std::stop_callback wake(call.stop, [this] { asio::post(context_, [] {}); });
  context_.restart();
  while (!done()) {
    if (call.stop.stop_requested() && may_stop()) {
      return Error(Code::cancelled, "nothing was done");
    }
    if (call.deadline.passed()) return Error(Code::timeout, "nothing was done");
    if (call.deadline.is_never()) {
      context_.run_one();
    } else {
      context_.run_one_until(call.deadline.at());
    }
    if (context_.stopped()) context_.restart();
  }
  return {};
}

// Ends what is under way; its completions must not run after what they refer to is gone.
void Connection::break_off() noexcept {
  broken_ = true;
  stream_->close();
  try {
    context_.restart();
    context_.poll();
  } catch (...) {
    // Nothing that was under way matters any more.
  }
}

void Connection::write_more(Transfer& transfer) {
  if (transfer.all_sent()) return;
  transfer.gather();
  stream_->write_some(transfer.sending, [&](asio::error_code failed, std::size_t size) {
    transfer.advance(size);
    // The server may have said why before it closed the connection: reading goes on.
    if (failed) return;
    write_more(transfer);
  });
}

void Connection::take_replies(Transfer& transfer, std::size_t size) {
  reader_.feed({buffer_.data(), size});
  auto& replies = transfer.exchange.replies;
  while (auto reply = reader_.next()) {
    if (replies.size() == transfer.expected) {
      throw Error(Code::unavailable, "the server said more than it was asked");
    }
    replies.push_back(std::move(*reply));
  }
  transfer.finished = replies.size() == transfer.expected;
}

void Connection::read_more(Transfer& transfer) {
  stream_->read_some(asio::buffer(buffer_), [&](asio::error_code failed, std::size_t size) {
    if (failed) return transfer.fail("the connection was lost: " + failed.message());
    try {
      take_replies(transfer, size);
    } catch (const Error& error) {
      return transfer.fail(error.message());
    }
    if (!transfer.finished) read_more(transfer);
  });
}

Exchange Connection::exchange(const Pipeline& pipeline, const Call& call,
                              std::size_t point_of_no_return) {
  Transfer transfer;
  transfer.pieces = pipeline.pieces();
  transfer.expected = pipeline.commands();
  if (transfer.expected == 0) return {};
  if (call.stop.stop_requested()) return {{}, 0, Error(Code::cancelled, "nothing was done")};
  if (call.deadline.passed()) return {{}, 0, Error(Code::timeout, "nothing was done")};
  try {
    read_more(transfer);
    write_more(transfer);
    const auto ended = run_until([&] { return transfer.finished; }, call,
                                 [&] { return transfer.exchange.sent < point_of_no_return; });
    if (ended) transfer.exchange.failure = ended;
  } catch (...) {
    break_off();
    throw;
  }
  const auto& failure = transfer.exchange.failure;
  const auto& replies = transfer.exchange.replies;
  const bool silent = failure && failure->code() != Code::cancelled;
  server_lost_ = became_replica(replies) || (silent && !server_.found_by.empty());
  if (server_lost_ || failure || gave_up(replies) || !transfer.all_sent()) break_off();
  return std::move(transfer.exchange);
}

std::vector<Reply> Connection::read(const Pipeline& pipeline, const Call& call) {
  Exchange exchange = this->exchange(pipeline, call);
  if (exchange.failure) throw Error(*exchange.failure);
  for (const Reply& reply : exchange.replies) checked(reply);
  return std::move(exchange.replies);
}

}  // namespace threadkeep::redis
