// SPDX-License-Identifier: Apache-2.0
// Who is let in: passwords from everywhere that libpq takes them from, and TLS.
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "raw_database.hpp"
#include "threadkeep/testing/temporary_directory.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using testing::PostgresServer;
using testing::TemporaryDirectory;

void write_file(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
}

void run_openssl(const std::string& arguments) {
  const auto command = "openssl " + arguments + " >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

// A certificate for localhost and the authority that signed it, and another authority.
void make_certificates(const std::filesystem::path& place) {
  const auto in = [&](const std::string& name) { return (place / name).string(); };
  const std::string key = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
  for (const std::string name : {"ca", "other"}) {
    run_openssl("req -x509 -days 2 -subj /CN=" + name + key + "-keyout " + in(name + ".key") +
                " -out " + in(name + ".crt"));
  }
  run_openssl("req -subj /CN=localhost" + key + "-keyout " + in("server.key") + " -out " +
              in("server.csr"));
  write_file(place / "names", "subjectAltName=DNS:localhost\n", 0644);
  run_openssl("x509 -req -days 2 -CAcreateserial -in " + in("server.csr") + " -CA " + in("ca.crt") +
              " -CAkey " + in("ca.key") + " -extfile " + in("names") + " -out " + in("server.crt"));
}

// The server does not run as root; a key that it may read by its group is enough for it.
void let_server_read(const std::filesystem::path& key) {
  const group* server = getgrnam("postgres");
  if (geteuid() == 0 && server && chown(key.c_str(), 0, server->gr_gid) == 0) {
    chmod(key.c_str(), 0640);
  }
}

class PostgresLogin : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    place_ = std::make_unique<TemporaryDirectory>();
    chmod(place_->path().c_str(), 0711);
    make_certificates(file(""));
    let_server_read(file("server.key"));
    for (const auto* name : {"server.crt", "ca.crt"}) chmod(file(name).c_str(), 0644);
    write_file(file("hba"),
               "host all postgres 127.0.0.1/32 trust\n"
               "hostnossl all tls 127.0.0.1/32 reject\n"
               "hostssl all tls 127.0.0.1/32 trust\n"
               "host all all 127.0.0.1/32 scram-sha-256\n",
               0644);
    server_ = std::make_unique<PostgresServer>(PostgresServer::Options{
        .settings = {{"hba_file", "'" + file("hba").string() + "'"},
                     {"ssl", "on"},
                     {"ssl_cert_file", "'" + file("server.crt").string() + "'"},
                     {"ssl_key_file", "'" + file("server.key").string() + "'"}}});
    server_->run(
        "CREATE ROLE keeper LOGIN PASSWORD 'canary@/?'; CREATE ROLE tls LOGIN; "
        "CREATE ROLE crowded LOGIN PASSWORD 'canary' CONNECTION LIMIT 0");
  }
  static void TearDownTestSuite() {
    server_.reset();
    place_.reset();
  }

  static std::filesystem::path file(const std::string& name) { return place_->path() / name; }
  static std::string port() { return std::to_string(server_->port()); }
  static std::string url(const std::string& user, const std::string& parameters = {},
                         const std::string& host = "localhost") {
    return "postgresql://" + user + "@" + host + ":" + port() + "/store" +
           (parameters.empty() ? "" : "?" + parameters);
  }
  static std::string user_of(const std::string& url) {
    Connection connection(settings_of(url), Call());
    return ask(connection, "SELECT current_user::text");
  }
  static Error refusal(const std::string& url) {
    const auto error = error_of([&] { Connection(settings_of(url), Call()); });
    EXPECT_FALSE(contains(error.what(), "canary")) << error.what();
    return error;
  }

  static std::unique_ptr<TemporaryDirectory> place_;
  static std::unique_ptr<PostgresServer> server_;
};

std::unique_ptr<TemporaryDirectory> PostgresLogin::place_;
std::unique_ptr<PostgresServer> PostgresLogin::server_;

TEST_F(PostgresLogin, takes_the_password_of_the_url) {
  EXPECT_EQ(user_of(url("keeper:canary%40%2F%3F")), "keeper");
  EXPECT_EQ(user_of(url("keeper", "password=canary%40/?")), "keeper");
}

TEST_F(PostgresLogin, takes_the_password_of_the_environment) {
  const Variable password("PGPASSWORD", "canary@/?");
  EXPECT_EQ(user_of(url("keeper")), "keeper");
  const Variable host("PGHOST", "localhost");
  const Variable named_port("PGPORT", port());
  const Variable user("PGUSER", "keeper");
  const Variable database("PGDATABASE", "store");
  EXPECT_EQ(user_of("postgresql://"), "keeper");
}

TEST_F(PostgresLogin, takes_the_password_of_the_password_file) {
  write_file(file("pgpass"),
             "elsewhere:*:*:*:wrong\nlocalhost:" + port() + ":store:keeper:canary@/?\n", 0600);
  EXPECT_EQ(user_of(url("keeper", "passfile=" + file("pgpass").string())), "keeper");
  EXPECT_EQ(refusal(url("keeper", "passfile=" + file("pgpass").string(), "127.0.0.1")).code(),
            Code::denied);
  const Variable by_environment("PGPASSFILE", file("pgpass").string());
  EXPECT_EQ(user_of(url("keeper")), "keeper");
  EXPECT_EQ(user_of("postgresql://keeper@localhost:1,localhost:" + port() + "/store"), "keeper");
}

TEST_F(PostgresLogin, takes_everything_from_a_service_file) {
  write_file(file("services"),
             "[store]\nhost=localhost\nport=" + port() +
                 "\ndbname=store\nuser=keeper\npassword=canary@/?\n",
             0600);
  const Variable services("PGSERVICEFILE", file("services").string());
  EXPECT_EQ(user_of("postgresql://?service=store"), "keeper");
  {
    const Variable service("PGSERVICE", "store");
    EXPECT_EQ(user_of("postgresql://"), "keeper");
  }
  const auto error = refusal("postgresql://?service=nowhere");
  EXPECT_TRUE(contains(error.what(), "nowhere")) << error.what();
}

TEST_F(PostgresLogin, says_why_it_fails) {
  auto error = refusal(url("keeper:canary"));
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_EQ(error.native(), "28P01");
  EXPECT_TRUE(contains(error.what(), "PGPASSWORD")) << error.what();
  EXPECT_TRUE(contains(error.what(), "keeper@localhost")) << error.what();
  error = refusal(url("keeper"));
  EXPECT_EQ(error.code(), Code::denied) << error.what();
  error = refusal(url("stranger:canary"));
  EXPECT_EQ(error.code(), Code::denied) << error.what();
  error = refusal(url("tls", "sslmode=disable"));
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_EQ(error.native(), "28000");
  error = refusal(url("crowded:canary"));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_EQ(error.native(), "53300");
  EXPECT_TRUE(contains(error.what(), "pool_size")) << error.what();
  error = refusal("postgresql://postgres@127.0.0.1:" + port() + "/nowhere");
  EXPECT_EQ(error.code(), Code::invalid_argument);
  EXPECT_EQ(error.native(), "3D000");
}

TEST_F(PostgresLogin, says_which_setting_the_server_does_not_know) {
  for (const std::string setting : {"no_such_setting%3D1", "work_mem%3Dmuch"}) {
    const auto error = refusal(url("tls", "options=-c%20" + setting));
    EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
    EXPECT_TRUE(contains(error.what(), setting.substr(0, 7))) << error.what();
  }
}

// What one server of a cluster has decided, the others would decide too.
TEST_F(PostgresLogin, tries_no_other_host_after_a_refusal) {
  const auto error =
      refusal("postgresql://keeper:canary@localhost:" + port() + ",localhost:1/store");
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_FALSE(contains(error.what(), "refused")) << error.what();
}

TEST_F(PostgresLogin, checks_the_certificate_of_the_server_as_told) {
  const auto root = "&sslrootcert=" + file("ca.crt").string();
  EXPECT_EQ(user_of(url("tls", "sslmode=require")), "tls");
  EXPECT_EQ(user_of(url("tls", "sslmode=verify-ca" + root, "127.0.0.1")), "tls");
  EXPECT_EQ(user_of(url("tls", "sslmode=verify-full" + root)), "tls");
  auto error = refusal(url("tls", "sslmode=verify-full" + root, "127.0.0.1"));
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_TRUE(contains(error.what(), "127.0.0.1")) << error.what();
  error = refusal(url("tls", "sslmode=verify-full&sslrootcert=" + file("other.crt").string()));
  EXPECT_EQ(error.code(), Code::denied) << error.what();
  error = refusal(url("tls", "sslmode=verify-full&sslrootcert=" + file("none.crt").string()));
  EXPECT_EQ(error.code(), Code::denied) << error.what();
  error = refusal(PostgresServer::shared().url() + "?sslmode=require");
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_TRUE(contains(error.what(), "SSL")) << error.what();
}

TEST_F(PostgresLogin, with_TLS_carries_64_MiB_both_ways) {
  Connection connection(settings_of(url("tls", "sslmode=require")), Call());
  EXPECT_EQ(ask(connection, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
            "true");
  const Bytes bytes(std::string(std::size_t{64} << 20, 'x'));
  Parameters parameters;
  parameters.bytes(bytes);
  const Statement echo("SELECT $1::bytea");
  const auto patient = call_within(std::chrono::minutes(5));
  const auto result = connection.run(echo, std::move(parameters), Effect::none, patient);
  EXPECT_EQ(result.bytes(0, 0), bytes);
}

TEST_F(PostgresLogin, with_TLS_ends_at_the_deadline) {
  Connection connection(settings_of(url("tls", "sslmode=require")), Call());
  const auto took = duration_of([&] {
    const auto error = error_of([&] {
      connection.execute("SELECT pg_sleep(10)", call_within(std::chrono::milliseconds(200)));
    });
    EXPECT_EQ(error.code(), Code::outcome_unknown);
  });
  EXPECT_LT(took, std::chrono::seconds(1));
}

}  // namespace
}  // namespace threadkeep::postgres_test
