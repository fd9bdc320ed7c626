// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "condition.hpp"
#include "small_disk.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::chaos_test {

namespace {

using testing::PostgresServer;

class OnPostgres : public Condition {
 public:
  std::string url() const override { return server_.url() + "?pool_size=4"; }
  int connections() override {
    return std::stoi(server_.run(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'threadkeep'", "postgres"));
  }

 protected:
  std::filesystem::path setting(const std::string& name) const {
    auto value = server_.run("SHOW " + name, "postgres");
    value.erase(value.find_last_not_of('\n') + 1);
    return value;
  }

  // Every session of the store ends.
  void change(const std::string& sql) {
    server_.run(sql +
                    "; SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                    "WHERE usename = 'threadkeep'",
                "postgres");
  }

  // What is acknowledged survives a crash of the server; not one of the machine.
  PostgresServer server_{{.settings = {{"synchronous_commit", "on"}}}};
};

class Stopped final : public OnPostgres {
  void begin() override { server_.stop(PostgresServer::Stop::fast); }
  void end() override { server_.start(); }
};

class Killed final : public OnPostgres {
  void begin() override { server_.kill(); }
  void end() override { server_.start(); }
};

// As providers do with one whose disk is nearly full.
class ReadOnly final : public OnPostgres {
  void begin() override { server_.set("default_transaction_read_only", "on"); }
  void end() override { server_.set("default_transaction_read_only", "off"); }
};

class OtherPassword final : public OnPostgres {
 public:
  OtherPassword() {
    const auto file = setting("hba_file");
    std::ifstream old(file);
    const std::string rest{std::istreambuf_iterator<char>(old), {}};
    std::ofstream(file) << "host all threadkeep 127.0.0.1/32 scram-sha-256\n" << rest;
    server_.run("ALTER ROLE threadkeep PASSWORD 'first'; SELECT pg_reload_conf()", "postgres");
  }
  std::string url() const override {
    auto text = OnPostgres::url();
    return text.insert(text.find('@'), ":first");
  }

 private:
  void begin() override { change("ALTER ROLE threadkeep PASSWORD 'second'"); }
  void end() override { change("ALTER ROLE threadkeep PASSWORD 'first'"); }
};

class NoConnectionLeft final : public OnPostgres {
  void begin() override { change("ALTER ROLE threadkeep CONNECTION LIMIT 0"); }
  void end() override { change("ALTER ROLE threadkeep CONNECTION LIMIT -1"); }
};

// Comes before the server, which must see it.
struct HasSmallDisk {
  SmallDisk disk;
};

// The disk of the tables; the log has another one, without which a server stops.
class FullDisk final : private HasSmallDisk, public OnPostgres {
 public:
  FullDisk() {
    server_.run("CREATE TABLESPACE small LOCATION '" + disk.path().string() + "'", "postgres");
    server_.run("ALTER DATABASE store SET TABLESPACE small", "postgres");
  }

 private:
  void begin() override { disk.fill(); }
  void end() override { disk.empty(); }
};

// As a quota of the file system does: 16 MiB for each file, which is enough for those of the log.
class FilesThatMayNotGrow final : public OnPostgres {
  void begin() override { start_with(16 << 20); }
  void end() override { start_with(RLIM_INFINITY); }

  // Processes begin with the limit of those that start them.
  void start_with(rlim_t size) {
    server_.stop(PostgresServer::Stop::fast);
    limit(size);
    server_.start();
    limit(RLIM_INFINITY);
  }
  static void limit(rlim_t size) {
    const rlimit limit{size, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
      throw std::system_error(errno, std::generic_category(), "setrlimit");
    }
  }
};

// Comes before the server, which must see it.
struct HasLogDisk {
  SmallDisk disk{256};
};

// Without room for its log a server stops, and comes up again in vain.
class FullLogDisk final : private HasLogDisk, public OnPostgres {
 public:
  FullLogDisk() {
    const auto data = setting("data_directory");
    server_.stop(PostgresServer::Stop::fast);
    disk.take(data / "pg_wal");
    server_.start();
  }

 private:
  void begin() override { disk.fill(); }
  void end() override {
    disk.empty();
    server_.stop(PostgresServer::Stop::immediate);  // It may be down, or in the middle of it.
    server_.start();
  }
};

template <class Kind>
std::unique_ptr<Condition> make() {
  return std::make_unique<Kind>();
}

}  // namespace

std::vector<Case> postgres_cases() {
  return {
      {"postgres_stopped", make<Stopped>, Code::unavailable, Code::unavailable},
      {"postgres_killed", make<Killed>, Code::unavailable, Code::unavailable},
      {"postgres_read_only", make<ReadOnly>, Code::denied, {}},
      {"postgres_with_another_password", make<OtherPassword>, Code::denied, Code::denied},
      {"postgres_with_no_connection_left", make<NoConnectionLeft>, Code::unavailable,
       Code::unavailable},
      {"postgres_with_a_full_disk", make<FullDisk>, Code::no_space, {}},
      {"postgres_with_files_that_may_not_grow", make<FilesThatMayNotGrow>, Code::no_space, {}},
      {"postgres_with_a_full_log_disk", make<FullLogDisk>, Code::unavailable, Code::unavailable},
  };
}

}  // namespace threadkeep::chaos_test
