// SPDX-License-Identifier: Apache-2.0
#include "wire_support.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "threadkeep/url.hpp"

namespace threadkeep::postgres_test {

Settings settings_of(const std::string& url) {
  auto parsed = Url::parse(url);
  return postgres::read_settings(parsed);
}

std::string with(const std::string& url, const std::string& parameter) {
  return url + (contains(url, "?") ? "&" : "?") + parameter;
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "there is no error";
  return Error(Code::internal, "no error");
}

std::chrono::milliseconds duration_of(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

Call call_within(std::chrono::milliseconds time) {
  return Call{Deadline::after(time), {}};
}

std::string ask(Connection& connection, const std::string& sql) {
  return connection.run(Statement(sql), {}, Effect::none, Call()).text(0, 0);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Variable::Variable(std::string name, const std::string& value) : name_(std::move(name)) {
  if (const char* before = std::getenv(name_.c_str())) before_ = before;
  setenv(name_.c_str(), value.c_str(), 1);
}

Variable::~Variable() {
  if (before_) {
    setenv(name_.c_str(), before_->c_str(), 1);
  } else {
    unsetenv(name_.c_str());
  }
}

SilentListener::SilentListener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket_ < 0 || bind(socket_, generic, size) != 0 || listen(socket_, 16) != 0 ||
      getsockname(socket_, generic, &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
}

SilentListener::~SilentListener() {
  close(socket_);
}

}  // namespace threadkeep::postgres_test
