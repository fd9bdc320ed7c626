// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "support.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::redis_test {
namespace {

redis::Settings read(const std::string& text) {
  Url url = Url::parse(text);
  return redis::read_settings(url);
}

std::string problem_of(const std::string& text) {
  const Error error = error_of([&] { read(text); });
  EXPECT_EQ(error.code(), Code::invalid_argument) << text;
  return error.message();
}

TEST(Settings, have_defaults) {
  const auto settings = read("redis://");
  EXPECT_EQ(settings.host, "localhost");
  EXPECT_EQ(settings.port, 6379);
  EXPECT_EQ(settings.database, 0);
  EXPECT_EQ(settings.prefix, "threadkeep");
  EXPECT_EQ(settings.ttl.count(), 0);
  EXPECT_FALSE(settings.tls);
  EXPECT_FALSE(settings.password);
}

TEST(Settings, come_from_the_authority_and_the_path) {
  const auto settings = read("rediss://ad%40m:p%3Aw@example.org:7000/3?prefix=a:b&ttl=7d");
  EXPECT_TRUE(settings.tls);
  EXPECT_EQ(settings.user, "ad@m");
  EXPECT_EQ(settings.password, "p:w");
  EXPECT_EQ(settings.host, "example.org");
  EXPECT_EQ(settings.port, 7000);
  EXPECT_EQ(settings.database, 3);
  EXPECT_EQ(settings.prefix, "a:b");
  EXPECT_EQ(settings.ttl, std::chrono::hours(7 * 24));
}

TEST(Settings, may_have_a_password_without_a_user) {
  const auto settings = read("redis://:secret@h");
  EXPECT_FALSE(settings.user);
  EXPECT_EQ(settings.password, "secret");
  EXPECT_EQ(settings.host, "h");
}

TEST(Settings, take_addresses_of_version_6) {
  EXPECT_EQ(read("redis://[::1]:7000").host, "::1");
  EXPECT_EQ(read("redis://[::1]:7000").port, 7000);
  EXPECT_EQ(read("redis://[::1]").port, 6379);
}

TEST(Settings, name_a_unix_socket_by_a_scheme_of_its_own) {
  const auto settings = read("redis+unix:///run/redis/redis.sock?db=2");
  EXPECT_EQ(settings.socket, "/run/redis/redis.sock");
  EXPECT_EQ(settings.database, 2);
  EXPECT_NE(problem_of("redis+unix://host/path").find("takes no host"), std::string::npos);
  EXPECT_NE(problem_of("redis+unix://").find("needs a path"), std::string::npos);
}

TEST(Settings, name_sentinels_and_the_master_they_know) {
  const auto settings = read("redis+sentinel://ad:pw@one,two:7000,[::1]:7001/my%20master/3");
  const std::vector<redis::HostAndPort> hosts = {{"one", 26379}, {"two", 7000}, {"::1", 7001}};
  EXPECT_EQ(settings.sentinels.hosts, hosts);
  EXPECT_EQ(settings.sentinels.master, "my master");
  EXPECT_EQ(settings.database, 3);
  EXPECT_EQ(settings.user, "ad");
  EXPECT_EQ(settings.password, "pw");
  EXPECT_FALSE(settings.sentinels.password) << "that is of the master";
  EXPECT_FALSE(settings.tls);
  EXPECT_EQ(settings.place,
            "master 'my master' of sentinels one:26379 two:7000 [::1]:7001, database 3, prefix "
            "'threadkeep'");
  EXPECT_EQ(read("redis+sentinel://one/m").database, 0);
  EXPECT_TRUE(read("rediss+sentinel://one/m").tls);
  EXPECT_TRUE(read("valkeys+sentinel://one/m").tls);
  EXPECT_FALSE(read("valkey+sentinel://one/m").tls);
}

TEST(Settings, have_a_login_of_their_own_for_sentinels) {
  const auto settings =
      read("redis+sentinel://:master@h/m?sentinel_user=ada&sentinel_password=canary");
  EXPECT_EQ(settings.password, "master");
  EXPECT_EQ(settings.sentinels.user, "ada");
  EXPECT_EQ(settings.sentinels.password, "canary");
  const testing::TemporaryDirectory directory;
  const auto file = (directory.path() / "secret").string();
  std::ofstream(file) << "from-file\n";
  EXPECT_EQ(read("redis+sentinel://h/m?sentinel_password_file=" + file).sentinels.password,
            "from-file");
  setenv("THREADKEEP_TEST_PASSWORD", "from-environment", 1);
  EXPECT_EQ(read("redis+sentinel://h/m?sentinel_password_env=THREADKEEP_TEST_PASSWORD")
                .sentinels.password,
            "from-environment");
  const auto text =
      problem_of("redis+sentinel://h/m?sentinel_user=ada&sentinel_password=canary&x=1");
  EXPECT_EQ(text.find("canary"), std::string::npos) << text;
}

TEST(Settings, of_sentinels_are_all_checked_at_once) {
  const auto text = problem_of("redis+sentinel://one,,two:x/?sentinel_user=ada&unknown=1");
  for (const char* part : {"needs sentinels", "needs the name of a master",
                           "a sentinel_user and no sentinel_password", "unknown parameter"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
  }
  EXPECT_NE(problem_of("redis+sentinel:///m").find("needs sentinels"), std::string::npos);
  EXPECT_NE(problem_of("redis+sentinel://h:0/m").find("port"), std::string::npos);
  EXPECT_NE(problem_of("redis+sentinel://h/m/x").find("number of a database"), std::string::npos);
  EXPECT_NE(problem_of("redis://h?sentinel_user=a").find("unknown parameter 'sentinel_user'"),
            std::string::npos);
}

TEST(Settings, take_the_password_from_the_environment_or_a_file) {
  setenv("THREADKEEP_TEST_PASSWORD", "from-environment", 1);
  EXPECT_EQ(read("redis://h?password_env=THREADKEEP_TEST_PASSWORD").password, "from-environment");
  const testing::TemporaryDirectory directory;
  const auto file = directory.path() / "secret";
  std::ofstream(file) << "from-file\nanother line\n";
  EXPECT_EQ(read("redis://h?password_file=" + file.string()).password, "from-file");
  EXPECT_EQ(read("redis://h?user=ada&password_file=" + file.string()).user, "ada");
  EXPECT_NE(problem_of("redis://h?password_file=/nowhere").find("cannot read"), std::string::npos);
  EXPECT_NE(problem_of("redis://h?password_file=/dev/zero").find("4095 bytes"), std::string::npos);
  EXPECT_NE(problem_of("redis://h?password_env=THREADKEEP_NO_SUCH").find("no environment variable"),
            std::string::npos);
  EXPECT_NE(problem_of("redis://:a@h?password_file=" + file.string()).find("more than one"),
            std::string::npos);
}

TEST(Settings, are_all_checked_at_once) {
  const auto text = problem_of("redis://h:99999/x?prefix={a}&ttl=0s&replicas=2&unknown=1&tls_ca=f");
  for (const char* part : {"port", "number of a database", "braces", "ttl must", "replicas needs",
                           "unknown parameter 'unknown'", "tls_ca"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
  }
}

TEST(Settings, do_not_show_the_password) {
  const auto text = problem_of("redis://ada:canary@h/x?unknown=1");
  EXPECT_EQ(text.find("canary"), std::string::npos) << text;
  EXPECT_EQ(read("redis://ada:canary@h/1").place.find("canary"), std::string::npos);
}

TEST(Settings, choose_what_durability_means) {
  EXPECT_EQ(read("redis://h").durability, redis::Durability::none);
  EXPECT_EQ(read("redis://h?durability=fsync").durability, redis::Durability::fsync);
  EXPECT_EQ(read("redis://h?durability=replicas").replicas, 1);
  EXPECT_EQ(read("redis://h?durability=replicas&replicas=2").replicas, 2);
}

}  // namespace
}  // namespace threadkeep::redis_test
