// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>
#include <regex>
#include <stdexcept>
#include <string>
#include <threadkeep/testing/postgres_server.hpp>
#include <threadkeep/testing/temporary_directory.hpp>

#include "load.hpp"

namespace bench {

namespace {

constexpr int clients = 16;

using threadkeep::testing::PostgresServer;

/// The statement of a put, from the server's log: the one that the library has, whatever it is.
std::string put_statement(PostgresServer& server) {
  server.run("ALTER DATABASE store SET log_statement = 'all'");
  Writer(threadkeep::Checkpointer(threadkeep::open(server.url())), 0).put();
  server.run("ALTER DATABASE store RESET log_statement");
  const std::string log = server.log();
  const auto begin = log.rfind("WITH verdict");
  if (begin == std::string::npos) throw std::runtime_error("the log has no put:\n" + log);
  // What goes on from the line before begins with a tab.
  return std::regex_replace(log.substr(begin), std::regex("\n(?!\t)[^]*"), "");
}

/// For pgbench: parameter $7 is its variable p7. The namespace, $2, is the root: no variable can be
/// empty.
void write_script(const std::string& path, const std::string& statement) {
  const auto at_root = std::regex_replace(statement, std::regex("\\$2\\b"), "''");
  std::ofstream script(path);
  script << "\\set p4 :p3\n\\set p3 :p3 + 1\n\\set p1 :client_id + :first\n"
         << "\\set p10 :p3\n\\set p14 :p3\n"
         << std::regex_replace(at_root, std::regex("\\$([0-9]+)"), ":p$1") << ";\n";
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  if (pclose(pipe) != 0) throw std::runtime_error(command + " failed:\n" + text);
  return text;
}

class Pgbench {
 public:
  explicit Pgbench(PostgresServer& server) : url_(server.url()) {
    write_script(script(), put_statement(server));
  }

  double puts_per_second() {
    first_ += clients;  // Threads that are new, as those of a Writer are.
    const std::string output = output_of(command());
    std::smatch found;
    if (!std::regex_search(output, found, std::regex("tps = ([0-9.]+)"))) {
      throw std::runtime_error("pgbench says no rate:\n" + output);
    }
    return std::stod(found[1]);
  }

 private:
  std::string script() const { return (directory_.path() / "put.pgbench").string(); }

  std::string command() const {
    std::string text = "pgbench -n -M prepared -j 2 -c " + std::to_string(clients) + " -T " +
                       std::to_string(static_cast<int>(seconds)) + " -f " + script();
    const auto define = [&](const std::string& name, const std::string& value) {
      text += " -D '" + name + "=" + value + "'";
    };
    define("first", std::to_string(first_));
    for (const char* name : {"p3", "p4"}) define(name, "0");
    define("p5", document());
    define("p6", "{}");
    for (const char* name : {"p7", "p8"}) define(name, "2026-01-01 00:00:00+00");
    for (const char* name : {"p9", "p13"}) define(name, std::string("channel") + name);
    for (const char* name : {"p11", "p15"}) define(name, "msgpack");
    for (const char* name : {"p12", "p16"}) define(name, payload());
    return text + " '" + url_ + "' 2>&1";
  }

  std::string url_;
  threadkeep::testing::TemporaryDirectory directory_;
  int first_ = 0;
};

}  // namespace

void compare_postgres() {
  PostgresServer server({.durable = true, .settings = {}});
  Pgbench pgbench(server);
  const threadkeep::Checkpointer store(
      threadkeep::open(server.url() + "?pool_size=" + std::to_string(clients)));
  compare(
      "Postgres, put, 16 at once", [&] { return puts_per_second(store, clients); },
      "pgbench -M prepared with its statement", [&] { return pgbench.puts_per_second(); });
}

}  // namespace bench
