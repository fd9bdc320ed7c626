// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/statsd.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "statsd_packets.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

Error bad_address(const std::string& address, const std::string& why) {
  return Error(Code::invalid_argument,
               "statsd: '" + address + "' " + why + "; say HOST:PORT, as in 127.0.0.1:8125");
}

// A socket that packets are sent from, and where to.
class Target {
 public:
  explicit Target(const std::string& address) {
    const auto colon = address.rfind(':');
    if (colon == std::string::npos || colon + 1 == address.size()) {
      throw bad_address(address, "names no port");
    }
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found);
    if (failed != 0) throw bad_address(address, std::string("is unknown: ") + gai_strerror(failed));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
    std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
                reinterpret_cast<char*>(&address_));
    length_ = found->ai_addrlen;
    socket_ = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) throw bad_address(address, "cannot be sent to: no socket could be made");
  }
  ~Target() { ::close(socket_); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // Not connected: a connected socket would tell of an earlier packet that nobody took, and not
  // send this one.
  void send(const std::string& packet) const {
    static_cast<void>(::sendto(socket_, packet.data(), packet.size(), 0,
                               reinterpret_cast<const sockaddr*>(&address_), length_));
  }

 private:
  sockaddr_storage address_{};
  socklen_t length_ = 0;
  int socket_ = -1;
};

}  // namespace

class StatsdReporter::Impl {
 public:
  Impl(const StatsdOptions& options, std::shared_ptr<Metrics> metrics)
      : metrics_(std::move(metrics)),
        target_(options.address),
        packets_(options.labels),
        thread_([this, interval = options.interval] { run(interval); }) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  bool in_child() const noexcept { return process_ != getpid(); }

  void report() {
    if (in_child()) {
      throw Error(Code::unsupported,
                  "this reporter was made before fork(); make one in the child process");
    }
    const std::lock_guard lock(mutex_);
    send();
  }

 private:
  void run(std::chrono::milliseconds interval) {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, interval, [this] { return stopping_; })) send();
    send();  // also when it was to stop before it began
  }

  void send() {
    for (const std::string& packet : packets_.of(metrics_->snapshot())) target_.send(packet);
  }

  const pid_t process_ = getpid();
  std::shared_ptr<Metrics> metrics_;
  Target target_;
  std::mutex mutex_;
  StatsdPackets packets_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses what is above
};

StatsdReporter::StatsdReporter(const StatsdOptions& options, std::shared_ptr<Metrics> metrics)
    : impl_(std::make_unique<Impl>(options, std::move(metrics))) {}

// In a forked child its thread does not exist, and nobody must wait for it.
StatsdReporter::~StatsdReporter() {
  if (impl_->in_child()) static_cast<void>(impl_.release());
}

void StatsdReporter::report() {
  impl_->report();
}

}  // namespace threadkeep
