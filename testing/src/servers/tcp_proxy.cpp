// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/tcp_proxy.hpp"

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <atomic>
#include <deque>
#include <future>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

// Everything but the public functions runs on the one thread of the proxy.

namespace threadkeep::testing {

namespace {

using asio::redirect_error;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Direction = TcpProxy::Direction;
using std::chrono::milliseconds;

constexpr std::size_t piece_size = 64 * 1024;
constexpr std::size_t most_waiting = 16 * 1024 * 1024;  // of one direction, before it waits as well

std::size_t index_of(Direction direction) {
  return direction == Direction::to_server ? 0 : 1;
}

// A fault that waits for a number of bytes to have gone by.
class Trigger {
 public:
  void arm(std::size_t bytes) { left_ = bytes; }

  // Counts `size` bytes that come by; where among them the moment lies, if it does. The moment is
  // after the bytes that were to be waited for.
  std::optional<std::size_t> pass(std::size_t size, bool at_end) {
    if (!left_) return {};
    const bool here = at_end ? *left_ <= size : *left_ < size;
    if (here) return *std::exchange(left_, std::nullopt);
    *left_ -= size;
    return {};
  }

 private:
  std::optional<std::size_t> left_;
};

struct Faults {
  milliseconds delay{0};
  bool silent = false;
  bool refuse = false;
  bool split = false;
  std::size_t bytes_per_second = 0;
  std::array<Trigger, 2> silence_after;
  std::array<Trigger, 2> cut_after;
  std::array<Trigger, 2> corrupt_after;
};

class Link;

// What the links of a proxy share.
struct Shared {
  Faults faults;
  std::size_t passes = 0;  // How often pass() was called.
  TcpProxy::Counts counts;
  std::set<std::shared_ptr<Link>> links;

  void wake_all();
};

// One client's connection and the one to the server for it.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(Shared& shared, tcp::socket client)
      : shared_(shared),
        client_(std::move(client)),
        server_(client_.get_executor()),
        flows_{Flow(client_.get_executor()), Flow(client_.get_executor())} {}

  void start(std::uint16_t server_port) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), server_port);
    server_.async_connect(endpoint, [self = shared_from_this()](std::error_code error) {
      if (error) return self->reset();
      self->client_.set_option(tcp::no_delay(true));
      self->server_.set_option(tcp::no_delay(true));
      for (const auto direction : {Direction::to_server, Direction::to_client}) {
        self->run(self->read(direction));
        self->run(self->write(direction));
      }
    });
  }

  // Both sides are told at once, and what is on its way is lost.
  void reset() {
    for (auto* socket : {&client_, &server_}) {
      std::error_code ignored;
      socket->set_option(asio::socket_base::linger(true, 0), ignored);
      socket->close(ignored);
    }
    end();
  }

  void forget() { forgotten_ = true; }

  void wake() {
    for (auto& flow : flows_) flow.changed.cancel();
  }

 private:
  enum class Then { go_on, shut, cut, fall_silent };

  struct Piece {
    std::vector<char> bytes;
    Clock::time_point due;
    Then then = Then::go_on;  // What is to be done once it went,
    std::size_t passes = 0;   // and when that was decided.
  };

  struct Flow {
    explicit Flow(const asio::any_io_executor& executor)
        : changed(executor, Clock::time_point::max()) {}

    std::deque<Piece> pieces;
    std::size_t size = 0;
    asio::steady_timer changed;  // Never expires; cancelled when there is something to look at.
  };

  bool is_silent() const { return shared_.faults.silent || forgotten_; }
  Flow& flow(Direction direction) { return flows_[index_of(direction)]; }
  tcp::socket& source(Direction direction) {
    return direction == Direction::to_server ? client_ : server_;
  }
  tcp::socket& target(Direction direction) {
    return direction == Direction::to_server ? server_ : client_;
  }

  void run(asio::awaitable<void> body) {
    const auto ended = [self = shared_from_this()](const std::exception_ptr& error) {
      if (error) self->reset();
    };
    asio::co_spawn(client_.get_executor(), std::move(body), ended);
  }

  asio::awaitable<void> change_of(Flow& flow) {
    std::error_code ignored;
    if (!ended_) co_await flow.changed.async_wait(redirect_error(asio::use_awaitable, ignored));
    if (ended_) throw std::system_error(asio::error::operation_aborted);
  }

  asio::awaitable<void> read(Direction direction) {
    Flow& mine = flow(direction);
    for (;;) {
      while (is_silent() || mine.size > most_waiting) co_await change_of(mine);
      std::vector<char> bytes(piece_size);
      std::error_code error;
      const auto size = co_await source(direction).async_read_some(
          asio::buffer(bytes), redirect_error(asio::use_awaitable, error));
      if (error && error != asio::error::eof) throw std::system_error(error);
      bytes.resize(size);
      if (size > 0) take(direction, std::move(bytes));
      if (!error) continue;
      push(direction, {}, Then::shut);
      co_return;
    }
  }

  // Counts what came in, and hands it on with the faults that are due by that.
  void take(Direction direction, std::vector<char> bytes) {
    count(direction, bytes.size());
    auto& faults = shared_.faults;
    const auto at = index_of(direction);
    const auto corrupt = faults.corrupt_after[at].pass(bytes.size(), false);
    const auto cut = faults.cut_after[at].pass(bytes.size(), true);
    const auto silence = faults.silence_after[at].pass(bytes.size(), true);
    if (corrupt) bytes[*corrupt] = static_cast<char>(~bytes[*corrupt]);
    if (cut) bytes.resize(*cut);
    if (cut) return push(direction, std::move(bytes), Then::cut);
    if (silence) {
      const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(*silence);
      push(direction, {bytes.begin(), middle}, Then::fall_silent);
      bytes.erase(bytes.begin(), middle);
    }
    push(direction, std::move(bytes), Then::go_on);
  }

  void push(Direction direction, std::vector<char> bytes, Then then) {
    Flow& mine = flow(direction);
    mine.size += bytes.size();
    mine.pieces.push_back(
        {std::move(bytes), Clock::now() + shared_.faults.delay, then, shared_.passes});
    mine.changed.cancel();
  }

  void count(Direction direction, std::size_t size) {
    auto& counts = shared_.counts;
    const bool from_client = direction == Direction::to_server;
    (from_client ? counts.to_server : counts.to_client) += size;
    if (from_client && !client_speaks_) ++counts.turns;
    client_speaks_ = from_client;
  }

  asio::awaitable<void> write(Direction direction) {
    Flow& mine = flow(direction);
    for (;;) {
      while (mine.pieces.empty()) co_await change_of(mine);
      const Piece piece = std::move(mine.pieces.front());
      mine.pieces.pop_front();
      mine.size -= piece.bytes.size();
      mine.changed.cancel();
      co_await send(direction, piece);
      if (piece.then == Then::cut) co_return reset();
      if (piece.then == Then::shut) co_return shut(direction);
      // Not when all faults were ended while it was on its way.
      if (piece.then == Then::fall_silent && piece.passes == shared_.passes) {
        shared_.faults.silent = true;
      }
    }
  }

  asio::awaitable<void> send(Direction direction, const Piece& piece) {
    asio::steady_timer clock(client_.get_executor(), piece.due);
    co_await clock.async_wait(asio::use_awaitable);
    for (std::size_t sent = 0; sent < piece.bytes.size();) {
      while (is_silent()) co_await change_of(flow(direction));
      const auto size = std::min(portion(), piece.bytes.size() - sent);
      const auto bytes = asio::buffer(piece.bytes.data() + sent, size);
      co_await asio::async_write(target(direction), bytes, asio::use_awaitable);
      sent += size;
      if (shared_.faults.bytes_per_second == 0) continue;
      clock.expires_after(std::chrono::nanoseconds(std::chrono::seconds(1)) * size /
                          shared_.faults.bytes_per_second);
      co_await clock.async_wait(asio::use_awaitable);
    }
    while (is_silent()) co_await change_of(flow(direction));
  }

  // How many bytes to send at a time.
  std::size_t portion() const {
    const auto& faults = shared_.faults;
    if (faults.split) return 1;
    if (faults.bytes_per_second == 0) return std::numeric_limits<std::size_t>::max();
    return std::max<std::size_t>(1, faults.bytes_per_second / 100);
  }

  void shut(Direction direction) {
    std::error_code ignored;
    target(direction).shutdown(tcp::socket::shutdown_send, ignored);
    if (++shut_ < 2) return;
    client_.close(ignored);
    server_.close(ignored);
    end();
  }

  void end() {
    ended_ = true;
    wake();
    if (shared_.links.erase(shared_from_this()) > 0) --shared_.counts.open;
  }

  Shared& shared_;
  tcp::socket client_;
  tcp::socket server_;
  std::array<Flow, 2> flows_;
  bool client_speaks_ = false;
  bool forgotten_ = false;
  bool ended_ = false;
  int shut_ = 0;
};

void Shared::wake_all() {
  for (const auto& link : links) link->wake();
}

}  // namespace

class TcpProxy::Impl {
 public:
  explicit Impl(std::uint16_t server_port)
      : server_port_(server_port),
        acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    io_.stop();
    thread_.join();
    shared_.links.clear();  // Their sockets must not outlive the io_context.
  }

  std::uint16_t port() const noexcept { return port_; }
  std::uint16_t server_port() const noexcept { return server_port_; }
  void lead_to(std::uint16_t server_port) noexcept { server_port_ = server_port; }

  // Runs `change` on the proxy's thread, and returns when it is done.
  template <class Change>
  void apply(Change change) {
    std::packaged_task<void()> task([&] {
      change(shared_);
      shared_.wake_all();
    });
    asio::post(io_, std::move(task)).get();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](std::error_code error, tcp::socket client) {
      if (error) return;
      welcome(std::move(client));
      accept();
    });
  }

  void welcome(tcp::socket client) {
    ++shared_.counts.connections;
    ++shared_.counts.open;
    const auto link = std::make_shared<Link>(shared_, std::move(client));
    shared_.links.insert(link);
    if (shared_.faults.refuse) return link->reset();
    link->start(server_port_);
  }

  std::atomic<std::uint16_t> server_port_;
  Shared shared_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::thread thread_;
};

TcpProxy::TcpProxy(std::uint16_t server_port) : impl_(std::make_unique<Impl>(server_port)) {}
TcpProxy::~TcpProxy() = default;

std::uint16_t TcpProxy::port() const noexcept {
  return impl_->port();
}

void TcpProxy::lead_to(std::uint16_t server_port) {
  impl_->lead_to(server_port);
}

std::string TcpProxy::in_front_of(std::string url) const {
  const auto from = ":" + std::to_string(impl_->server_port());
  const auto at = url.find(from);
  if (at == std::string::npos) throw std::invalid_argument(url + " has no port " + from);
  return url.replace(at, from.size(), ":" + std::to_string(port()));
}

void TcpProxy::pass() {
  impl_->apply([](Shared& shared) {
    shared.faults = Faults();
    ++shared.passes;
  });
}

void TcpProxy::delay(milliseconds time) {
  impl_->apply([=](Shared& shared) { shared.faults.delay = time; });
}

void TcpProxy::fall_silent() {
  impl_->apply([](Shared& shared) { shared.faults.silent = true; });
}

void TcpProxy::fall_silent_after(Direction direction, std::size_t bytes) {
  impl_->apply(
      [=](Shared& shared) { shared.faults.silence_after[index_of(direction)].arm(bytes); });
}

void TcpProxy::forget() {
  impl_->apply([](Shared& shared) {
    for (const auto& link : shared.links) link->forget();
  });
}

void TcpProxy::cut() {
  impl_->apply([](Shared& shared) {
    const auto links = shared.links;
    for (const auto& link : links) link->reset();
  });
}

void TcpProxy::cut_after(Direction direction, std::size_t bytes) {
  impl_->apply([=](Shared& shared) { shared.faults.cut_after[index_of(direction)].arm(bytes); });
}

void TcpProxy::refuse() {
  impl_->apply([](Shared& shared) { shared.faults.refuse = true; });
}

void TcpProxy::split() {
  impl_->apply([](Shared& shared) { shared.faults.split = true; });
}

void TcpProxy::throttle(std::size_t bytes_per_second) {
  impl_->apply([=](Shared& shared) { shared.faults.bytes_per_second = bytes_per_second; });
}

void TcpProxy::corrupt_after(Direction direction, std::size_t bytes) {
  impl_->apply(
      [=](Shared& shared) { shared.faults.corrupt_after[index_of(direction)].arm(bytes); });
}

TcpProxy::Counts TcpProxy::counts() const {
  Counts counts;
  impl_->apply([&](Shared& shared) { counts = shared.counts; });
  return counts;
}

}  // namespace threadkeep::testing
