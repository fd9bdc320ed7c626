// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/redis_server.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "process.hpp"
#include "threadkeep/registry.hpp"

namespace threadkeep::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto start_patience = 60s;

bool runs(const std::string& program) {
  try {
    run_command({program, "--version"});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Some test has to find out that it cannot run, so it is told what to install.
std::string find_program() {
  if (const char* named = std::getenv("THREADKEEP_REDIS_SERVER")) return named;
  for (const char* program : {"redis-server", "valkey-server"}) {
    if (runs(program)) return program;
  }
  throw std::runtime_error(
      "there is no redis-server on this machine: install the Debian package redis-server");
}

// A node of a cluster listens at this port plus 10000 too.
std::uint16_t low_port() {
  std::uint16_t port = free_port();
  while (port > 55'535) port = free_port();
  return port;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string with(std::string url, const std::string& parameters) {
  return parameters.empty() ? url : url + "?" + parameters;
}

}  // namespace

RedisServer& RedisServer::shared() {
  static RedisServer server;
  return server;
}

RedisServer::RedisServer() : RedisServer(Options()) {}

RedisServer::RedisServer(Options options) : options_(std::move(options)) {
  if (options_.tls) make_certificates();
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = low_port();
    if (options_.tls) tls_port_ = free_port();
    write_settings(options_);
    hand_over(directory_.path());
    hand_over(directory_.path() / "redis.conf");  // in which a sentinel keeps what it knows
    if (start_on_ports()) return;
    // Another program may have taken the port meanwhile.
    if (log().find("Address already in use") == std::string::npos) break;
  }
  throw std::runtime_error("the Redis server in " + directory_.path().string() +
                           " does not start:\n" + log());
}

RedisServer::~RedisServer() = default;

void RedisServer::write_settings(const Options& options) {
  std::ofstream file(directory_.path() / "redis.conf");
  file << "bind 127.0.0.1\nport " << port_ << "\nunixsocket " << socket().string()
       << "\nunixsocketperm 777\ndir " << directory_.path().string() << "\nsave \"\"\n"
       << "daemonize no\nappendfsync always\naof-load-truncated no\nappendonly "
       << (options.durable ? "yes" : "no") << "\n";
  if (options.tls) {
    file << "tls-port " << tls_port_ << "\ntls-auth-clients no\n"
         << "tls-cert-file " << (directory_.path() / "server.crt").string() << "\n"
         << "tls-key-file " << (directory_.path() / "server.key").string() << "\n"
         << "tls-ca-cert-file " << ca_file().string() << "\n";
  }
  for (const auto& [name, value] : options.settings) file << name << " " << value << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write the settings of a Redis server");
}

void RedisServer::make_certificates() {
  const auto at = [&](const char* name) { return (directory_.path() / name).string(); };
  std::ofstream(at("names")) << "subjectAltName=DNS:localhost\n";
  run_command({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
               "/CN=threadkeep test CA", "-keyout", at("ca.key"), "-out", at("ca.crt")});
  run_command({"openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout",
               at("server.key"), "-out", at("server.csr")});
  run_command({"openssl", "x509", "-req", "-in", at("server.csr"), "-days",
               options_.tls_expired ? "-1" : "2", "-CA", at("ca.crt"), "-CAkey", at("ca.key"),
               "-CAcreateserial", "-extfile", at("names"), "-out", at("server.crt")});
  // The server runs as another user where the tests run as root.
  std::filesystem::permissions(at("server.key"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
}

void RedisServer::start() {
  if (!start_on_ports()) {
    throw std::runtime_error("the Redis server does not start again:\n" + log());
  }
}

bool RedisServer::start_on_ports() {
  static const std::string program = find_program();
  log_before_ = log().size();
  Command command{program, directory_.path() / "redis.conf"};
  if (options_.sentinel) command.emplace_back("--sentinel");
  process_ = std::make_unique<GuardedProcess>(command, "KILL", directory_.path() / "log",
                                              directory_.path());
  const auto end = std::chrono::steady_clock::now() + start_patience;
  while (process_->runs() && std::chrono::steady_clock::now() < end) {
    if (is_ready()) return true;
    std::this_thread::sleep_for(5ms);
  }
  process_.reset();
  return false;
}

// It listens before it has loaded its data; that it is ready stands in the log.
bool RedisServer::is_ready() const {
  const auto* const ready = options_.sentinel ? "+monitor" : "eady to accept connections";
  return log().find(ready, log_before_) != std::string::npos;
}

void RedisServer::kill() {
  if (process_) process_->kill();
  process_.reset();
}

void RedisServer::repair() {
  std::string check = find_program();
  check.replace(check.rfind("-server"), std::string::npos, "-check-aof");
  auto file = directory_.path() / "appendonlydir" / "appendonly.aof.manifest";
  if (!std::filesystem::exists(file)) file = directory_.path() / "appendonly.aof";  // before 7.0
  run_command({"sh", "-c", "yes | \"$0\" --fix \"$1\"", check, file.string()});
}

std::string RedisServer::url(const std::string& parameters) const {
  return with("redis://127.0.0.1:" + std::to_string(port_) + "/0", parameters);
}

std::string RedisServer::unix_url(const std::string& parameters) const {
  return with("redis+unix://" + socket().string(), parameters);
}

std::string RedisServer::run(std::vector<std::string> command) const {
  command.insert(command.begin(), {"redis-cli", "-s", socket().string(), "--raw"});
  auto output = run_command(command);
  output.erase(output.find_last_not_of('\n') + 1);
  return output;
}

std::string RedisServer::log() const {
  return content_of(directory_.path() / "log");
}

BackendSpec redis_backend() {
  return {"redis", [](const Environment& environment) {
            static std::atomic<int> stores = 0;
            const auto url =
                RedisServer::shared().unix_url("prefix=store" + std::to_string(++stores));
            return std::make_shared<Store>(Registry::builtin().open(url, environment));
          }};
}

}  // namespace threadkeep::testing
