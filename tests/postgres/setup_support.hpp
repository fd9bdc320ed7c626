// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "langgraph_levels.hpp"
#include "postgres/setup.hpp"
#include "program.hpp"
#include "raw_database.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {

using postgres::Layout;
using testing::PostgresServer;
using testing::Program;
using testing::run_program;
using Rows = std::vector<std::string>;

/// What pg_dump says of the form of a database, without what differs from run to run. `options`
/// are more of its own.
std::string dump(const std::string& url, std::vector<std::string> options = {});

/// What the ledger of the search path's schema says, without times and versions of programs.
Rows ledger(RawDatabase& raw);

/// Runs a script by psql as a person would.
std::string psql(const std::string& url, const std::string& script, int status = 0);

/// A text in which every byte stands as a URL writes the strange ones.
std::string escaped(const std::string& text);

/// An empty database of its own for each test, and another program's look at it.
class SetupTest : public ::testing::Test {
 protected:
  explicit SetupTest(PostgresServer::Locale locale = PostgresServer::Locale::bytewise)
      : database(server().create_database(locale)), url(server().url(database)) {}

  static PostgresServer& server() { return PostgresServer::shared(); }

  Layout first_use(const Call& call = Call()) { return first_use_at(url, call); }
  static Layout first_use_at(const std::string& url, const Call& call = Call()) {
    Connection connection(settings_of(url), call);
    return postgres::prepare_first_use(connection, call);
  }
  void setup(const Call& call = Call()) { setup_at(url, call); }
  static void setup_at(const std::string& url, const Call& call = Call()) {
    Connection connection(settings_of(url), call);
    postgres::run_setup(connection, call);
  }
  Layout look() {
    Connection connection(settings_of(url), Call());
    return postgres::read_layout(connection, Call());
  }
  Error first_use_error(const Call& call = Call()) {
    return error_of([&] { first_use(call); });
  }
  Error setup_error(const Call& call = Call()) {
    return error_of([&] { setup(call); });
  }
  /// A role that may log in and nothing else; its URL.
  std::string role(const std::string& name) {
    server().run("SELECT 'CREATE ROLE " + name + " LOGIN' WHERE to_regrole('" + name +
                 "') IS NULL \\gexec");
    std::string own = url;
    const std::string user = "//threadkeep@";
    const auto at = own.find(user);
    EXPECT_NE(at, std::string::npos) << url;
    return own.replace(at, user.size(), "//" + name + "@");
  }

  const std::string database;
  const std::string url;
  RawDatabase raw{url};
};

class IcuSetupTest : public SetupTest {
 protected:
  IcuSetupTest() : SetupTest(PostgresServer::Locale::icu) {}
};

}  // namespace threadkeep::postgres_test
