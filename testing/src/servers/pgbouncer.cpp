// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/pgbouncer.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "process.hpp"

namespace threadkeep::testing {

namespace {

using namespace std::chrono_literals;

// Debian keeps it where the paths of ordinary users do not lead.
std::string program() {
  for (const char* path :
       {"/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"}) {
    if (access(path, X_OK) == 0) return path;
  }
  throw std::runtime_error(
      "there is no PgBouncer on this machine: install the Debian package "
      "pgbouncer");
}

}  // namespace

Pgbouncer::Pgbouncer(const PostgresServer& server) : Pgbouncer(server, Options()) {}

Pgbouncer::Pgbouncer(const PostgresServer& server, const Options& options)
    : log_(directory_.path() / "log"), port_(free_port()) {
  hand_over(directory_.path());
  write_settings(server, options);
  start();
}

Pgbouncer::~Pgbouncer() = default;

void Pgbouncer::write_settings(const PostgresServer& server, const Options& options) const {
  std::ofstream users(directory_.path() / "users");
  users << "\"threadkeep\" \"\"\n\"postgres\" \"\"\n";
  std::ofstream file(directory_.path() / "pgbouncer.ini");
  file << "[databases]\n* = host=127.0.0.1 port=" << server.port() << "\n"
       << "[pgbouncer]\n"
       << "listen_addr = 127.0.0.1\nlisten_port = " << port_ << "\n"
       << "unix_socket_dir =\n"
       << "auth_type = trust\nauth_file = " << (directory_.path() / "users").string() << "\n"
       << "pool_mode = transaction\n"
       << "default_pool_size = " << options.pool_size << "\nmax_client_conn = 400\n"
       << "server_login_retry = 1\n";
  if (!users.flush() || !file.flush()) throw std::runtime_error("cannot write pgbouncer.ini");
}

void Pgbouncer::start() {
  process_ = std::make_unique<GuardedProcess>(
      Command{program(), directory_.path() / "pgbouncer.ini"}, "TERM", log_, directory_.path());
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (process_->runs() && std::chrono::steady_clock::now() < end) {
    if (accepts_connections(port_)) return;
    std::this_thread::sleep_for(5ms);
  }
  process_.reset();
  throw std::runtime_error("PgBouncer does not start:\n" + log());
}

void Pgbouncer::restart() {
  process_.reset();
  start();
}

std::string Pgbouncer::url(const std::string& database) const {
  return "postgresql://threadkeep@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string Pgbouncer::log() const {
  std::ifstream file(log_);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace threadkeep::testing
