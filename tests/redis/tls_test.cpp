// SPDX-License-Identifier: Apache-2.0
// Connections with TLS, and certificates that nobody should accept.
#include <gtest/gtest.h>

#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

class Tls : public ::testing::Test {
 protected:
  static std::string url(const RedisServer& server, const std::string& host = "localhost") {
    return "rediss://" + host + ":" + std::to_string(server.tls_port());
  }
  static std::string ca_of(const RedisServer& server) {
    return "?tls_ca=" + server.ca_file().string();
  }
  static void expect_not_verified(const std::string& url) {
    expect_refused(url, Code::unavailable, "certificate verify failed");
  }

  static RedisServer& server() {
    static RedisServer with_tls({.tls = true});
    return with_tls;
  }
};

TEST_F(Tls, goes_to_a_server_that_is_verified) {
  expect_works(url(server()) + ca_of(server()));
  auto store = open_store(url(server()) + ca_of(server()) + "&prefix=large");
  const std::string large(8 * 1024 * 1024, 'x');
  store.put(Draft("t", "1").value("a", "1", large));
  EXPECT_TRUE(store.get({"t", "", {}, {}})->values.at(0).data.view() == large);
}

TEST_F(Tls, does_not_go_to_another_host_of_the_same_authority) {
  expect_not_verified(url(server(), "127.0.0.1") + ca_of(server()));
}

TEST_F(Tls, does_not_go_to_a_host_of_an_unknown_authority) {
  expect_not_verified(url(server()));
  const RedisServer other({.tls = true});
  expect_not_verified(url(server()) + ca_of(other));
}

TEST_F(Tls, does_not_go_to_a_host_whose_certificate_has_expired) {
  const RedisServer expired({.tls = true, .tls_expired = true});
  expect_not_verified(url(expired) + ca_of(expired));
}

TEST_F(Tls, shows_a_certificate_of_its_own) {
  const RedisServer strict({.tls = true, .settings = {{"tls-auth-clients", "yes"}}});
  const auto place = url(strict) + ca_of(strict);
  expect_refused(place, Code::unavailable, "");
  expect_works(place + "&tls_cert=" + strict.certificate().string() +
               "&tls_key=" + strict.key().string());
}

TEST_F(Tls, that_only_one_side_speaks_is_an_error) {
  const auto plain = std::to_string(server().port());
  expect_refused("rediss://localhost:" + plain + ca_of(server()), Code::unavailable, "");
  expect_refused("redis://localhost:" + std::to_string(server().tls_port()) + "?connect_timeout=1s",
                 Code::unavailable, "");
}

TEST_F(Tls, with_a_file_that_is_not_there_is_refused) {
  expect_refused(url(server()) + "?tls_ca=/nowhere", Code::invalid_argument, "tls_ca");
}

}  // namespace
}  // namespace threadkeep::redis_test
