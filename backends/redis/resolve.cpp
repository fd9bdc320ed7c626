// SPDX-License-Identifier: Apache-2.0
#include "resolve.hpp"

#include <asio/io_context.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "threadkeep/error.hpp"

namespace threadkeep::redis {

namespace {

using asio::ip::tcp;

// Shared with the thread, which may outlive the call.
struct Lookup {
  std::mutex mutex;
  std::condition_variable_any done;
  bool ended = false;
  asio::error_code failed;
  std::vector<tcp::endpoint> addresses;
};

void look_up(const std::shared_ptr<Lookup>& lookup, const std::string& host,
             const std::string& port) {
  asio::io_context context;
  asio::error_code failed;
  const auto found = tcp::resolver(context).resolve(host, port, failed);
  const std::lock_guard lock(lookup->mutex);
  lookup->failed = failed;
  for (const auto& entry : found) lookup->addresses.push_back(entry.endpoint());
  lookup->ended = true;
  lookup->done.notify_all();
}

bool wait(Lookup& lookup, const Call& call) {
  std::unique_lock lock(lookup.mutex);
  const auto ended = [&] { return lookup.ended; };
  if (call.deadline.is_never()) return lookup.done.wait(lock, call.stop, ended);
  return lookup.done.wait_until(lock, call.stop, call.deadline.at(), ended);
}

}  // namespace

std::vector<tcp::endpoint> resolve(const Settings& settings, const Call& call) {
  asio::error_code not_an_address;
  const auto address = asio::ip::make_address(settings.host, not_an_address);
  if (!not_an_address) return {{address, settings.port}};
  const auto lookup = std::make_shared<Lookup>();
  std::thread(look_up, lookup, settings.host, std::to_string(settings.port)).detach();
  if (!wait(*lookup, call)) {
    const bool cancelled = call.stop.stop_requested();
    throw Error(cancelled ? Code::cancelled : Code::timeout,
                "the name of the server was still being looked up; nothing was done");
  }
  if (lookup->failed) {
    throw Error(Code::unavailable, "the name of the server '" + settings.host +
                                       "' is not known: " + lookup->failed.message());
  }
  return lookup->addresses;
}

}  // namespace threadkeep::redis
