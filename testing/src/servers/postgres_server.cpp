// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/postgres_server.hpp"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "process.hpp"

namespace threadkeep::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto start_patience = 60s;

// Some test has to find out that it cannot run, so it is told what to install.
[[noreturn]] void missing(const std::string& program) {
  throw std::runtime_error("there is no " + program +
                           " on this machine: install the Debian package postgresql");
}

bool holds_server(const std::filesystem::path& directory) {
  return access((directory / "postgres").c_str(), X_OK) == 0 &&
         access((directory / "initdb").c_str(), X_OK) == 0;
}

// What pg_config names is that of the development package, which may be newer than any server.
std::filesystem::path find_programs() {
  try {
    auto named = run_command({"pg_config", "--bindir"});
    named.erase(named.find_last_not_of('\n') + 1);
    if (holds_server(named)) return named;
  } catch (const std::runtime_error&) {
    // The development package need not be there.
  }
  using Found = std::pair<int, std::filesystem::path>;
  Found newest{0, {}};
  const std::filesystem::path versions = "/usr/lib/postgresql";
  if (!std::filesystem::is_directory(versions)) missing("Postgres server");
  for (const auto& entry : std::filesystem::directory_iterator(versions)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (holds_server(entry.path() / "bin"))
      newest = std::max(newest, Found(version, entry.path() / "bin"));
  }
  if (newest.first == 0) missing("Postgres server");
  return newest.second;
}

const std::filesystem::path& programs() {
  static const auto directory = find_programs();
  return directory;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

using Lines = std::vector<std::pair<std::string, std::string>>;

Lines settings_for(bool durable) {
  Lines lines = {{"listen_addresses", "'127.0.0.1'"},
                 {"max_connections", "200"},
                 {"shared_buffers", "'64MB'"},
                 {"log_line_prefix", "'%m [%p] '"},
                 {"log_lock_waits", "off"},
                 {"timezone", "'UTC'"},
                 // After a crash: one call for all files instead of one for each.
                 {"recovery_init_sync_method", "'syncfs'"}};
  if (!durable) {
    lines.insert(lines.end(),
                 {{"fsync", "off"}, {"full_page_writes", "off"}, {"synchronous_commit", "off"}});
  }
  return lines;
}

}  // namespace

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer() : PostgresServer(Options()) {}

PostgresServer::PostgresServer(const Options& options)
    : data_(directory_.path() / "data"), log_(directory_.path() / "log") {
  hand_over(directory_.path());
  options.standby_of ? copy(*options.standby_of) : initialize();
  write_settings(options);
  start();
  if (options.standby_of) return;
  run("CREATE ROLE threadkeep LOGIN; CREATE DATABASE store OWNER threadkeep;", "postgres");
}

PostgresServer::~PostgresServer() = default;

void PostgresServer::initialize() {
  run_command(unprivileged({programs() / "initdb", "--pgdata=" + data_.string(),
                            "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
                            "--no-sync", "--no-instructions"}));
}

// Its settings come along; those of this server are written after them.
void PostgresServer::copy(const PostgresServer& primary) {
  run_command(unprivileged({programs() / "pg_basebackup", "--pgdata=" + data_.string(),
                            "--dbname=" + primary.superuser_url("postgres"), "--checkpoint=fast",
                            "--wal-method=stream", "--write-recovery-conf", "--no-sync"}));
}

void PostgresServer::write_settings(const Options& options) {
  auto lines = settings_for(options.durable);
  const auto socket = directory_.path() / ".s.PGSQL.65535.lock";
  const bool fits = socket.string().size() < sizeof(sockaddr_un::sun_path);
  lines.emplace_back("unix_socket_directories",
                     fits ? "'" + directory_.path().string() + "'" : "''");
  lines.insert(lines.end(), options.settings.begin(), options.settings.end());
  std::ofstream file(data_ / "postgresql.conf", std::ios::app);
  for (const auto& [name, value] : lines) file << name << " = " << value << "\n";
  if (!file.flush())
    throw std::runtime_error("cannot write " + (data_ / "postgresql.conf").string());
}

void PostgresServer::start() {
  if (port_ != 0) {
    if (!start_on(port_)) fail_to_start();
    return;
  }
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto port = free_port();
    if (start_on(port)) {
      port_ = port;
      return;
    }
    // Another program may have taken the port meanwhile.
    if (log().find("Address already in use") == std::string::npos) break;
  }
  fail_to_start();
}

bool PostgresServer::start_on(std::uint16_t port) {
  process_ = std::make_unique<GuardedProcess>(
      Command{programs() / "postgres", "-D", data_, "-p", std::to_string(port)}, "QUIT", log_,
      directory_.path());
  const auto end = std::chrono::steady_clock::now() + start_patience;
  while (process_->runs() && std::chrono::steady_clock::now() < end) {
    if (is_ready()) return true;
    std::this_thread::sleep_for(5ms);
  }
  process_.reset();
  return false;
}

// The server writes its state into the file that holds its process id, on the first and eighth
// line.
bool PostgresServer::is_ready() const {
  std::ifstream file(data_ / "postmaster.pid");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines.size() >= 8 && lines[0] == std::to_string(process_->pid()) &&
         lines[7].starts_with("ready");
}

void PostgresServer::fail_to_start() const {
  throw std::runtime_error("the Postgres server in " + data_.string() + " does not start:\n" +
                           log());
}

void PostgresServer::stop(Stop how) {
  if (process_) process_->end(how == Stop::fast ? "INT" : "QUIT");
  process_.reset();
}

void PostgresServer::kill() {
  if (process_) process_->kill();
  process_.reset();
}

void PostgresServer::promote() {
  run("SELECT pg_promote()", "postgres");
}

void PostgresServer::set(const std::string& name, const std::string& value) {
  run("ALTER SYSTEM SET " + name + " = " + value + ";\nSELECT pg_reload_conf();", "postgres");
}

std::string PostgresServer::url(const std::string& database) const {
  return "postgresql://threadkeep@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string PostgresServer::superuser_url(const std::string& database) const {
  return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string PostgresServer::create_database(Locale locale) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    name = "store_" + std::to_string(++databases_);
  }
  const bool icu = locale == Locale::icu;
  run("CREATE DATABASE " + name + " OWNER threadkeep TEMPLATE template0" +
          (icu ? " LOCALE_PROVIDER icu ICU_LOCALE 'en-US'" : ""),
      "postgres");
  return name;
}

std::string PostgresServer::run(const std::string& sql, const std::string& database) const {
  const TemporaryDirectory place;  // SQL may be longer than an argument.
  const auto script = place.path() / "script.sql";
  std::ofstream(script) << sql << "\n";
  return run_command({programs() / "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
                      "--set=ON_ERROR_STOP=1", "--file=" + script.string(),
                      "--dbname=" + superuser_url(database)});
}

std::string PostgresServer::log() const {
  return content_of(log_);
}

int PostgresServer::version() const {
  return std::stoi(content_of(data_ / "PG_VERSION"));
}

PostgresSchemas::PostgresSchemas(PostgresServer& server, std::string database, std::string tables)
    : server_(server), database_(std::move(database)), tables_(std::move(tables)) {}

std::string PostgresSchemas::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) make_more();
  auto schema = std::move(free_.back());
  free_.pop_back();
  return schema;
}

void PostgresSchemas::give_back(std::string schema) {
  const std::lock_guard lock(mutex_);
  used_.push_back(std::move(schema));
}

void PostgresSchemas::make_more() {
  constexpr int dozen = 40;
  std::string sql = "SET client_min_messages = warning;\n";
  for (const auto& schema : used_) sql += "DROP SCHEMA " + schema + " CASCADE;\n";
  for (int i = 0; i < dozen; ++i) {
    auto name = "tk_" + std::to_string(++made_);
    sql += "CREATE SCHEMA " + name + " AUTHORIZATION threadkeep;\n";
    if (!tables_.empty()) {
      sql += "SET search_path = " + name + "; SET ROLE threadkeep;\n" + tables_ + "\nRESET ROLE;\n";
    }
    free_.push_back(std::move(name));
  }
  server_.run(sql, database_);
  used_.clear();
}

std::string PostgresSchemas::url(const std::string& schema) const {
  return server_.url(database_) + "?schema=" + schema;
}

}  // namespace threadkeep::testing
