// SPDX-License-Identifier: Apache-2.0
// threadkeep.yaml: what it may say, what is refused and where, and how the command finds it.
#include "config/config.hpp"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"

namespace threadkeep {
namespace {

using namespace std::chrono_literals;

constexpr const char* canary = "canary7f3a";

class ConfigFile : public ::testing::Test {
 protected:
  ops::Config parse(const std::string& text) {
    return ops::parse_config(text, "t.yaml", [this](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
  }
  std::string refusal(const std::string& text) {
    try {
      parse(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      EXPECT_FALSE(contains(error.what(), canary)) << error.what();
      return error.message();
    }
    ADD_FAILURE() << "not refused: " << text;
    return {};
  }

  std::map<std::string, std::string> variables = {{"SECRET", canary}, {"EMPTY", ""}};
};

#if defined(THREADKEEP_TEST_SQLITE) && defined(THREADKEEP_TEST_POSTGRES)
TEST_F(ConfigFile, names_stores) {
  const auto config = parse(
      "url: sqlite:agent.db\n"
      "timeout: 90s\n"
      "stores:\n"
      "  prod: {url: 'postgresql://db/agents', timeout: 5m}\n"
      "  test:\n"
      "    url: sqlite:test.db\n");
  EXPECT_EQ(config.store->url, "sqlite:agent.db");
  EXPECT_EQ(config.store->timeout, 90s);
  EXPECT_EQ(config.stores.at("prod").url, "postgresql://db/agents");
  EXPECT_EQ(config.stores.at("prod").timeout, 5min);
  EXPECT_EQ(config.stores.at("test").timeout, 90s) << "that of all";
}

TEST_F(ConfigFile, names_tables_in_the_order_of_a_migration) {
  EXPECT_EQ(parse("migrate: {order: [users, Select Model]}").migrate.order,
            (std::vector<std::string>{"users", "Select Model"}));
  EXPECT_TRUE(parse("url: sqlite:agent.db").migrate.order.empty());
  EXPECT_EQ(refusal("migrate:\n  order: users"), "t.yaml:2:10: order must be a list of tables");
  const auto several = refusal("migrate:\n  older: x\n  order: [users, users, [a]]");
  for (const auto* line :
       {"t.yaml:2:3: ", "t.yaml:3:18: this table is named twice", "t.yaml:3:25: "})
    EXPECT_TRUE(contains(several, line)) << several;
}

TEST_F(ConfigFile, puts_layers_around_a_store) {
  const auto config = parse(
      "url: sqlite:agent.db\n"
      "retry: 3\n"
      "stores:\n"
      "  prod:\n"
      "    url: postgresql://db/agents?schema=a\n"
      "    try_timeout: 5s\n"
      "    breaker: on\n"
      "    fallback: 'sqlite:/a b.db?busy=1s'\n"
      "    fallback_new: allow\n"
      "    fallback_journal: ${NOSUCH:-1MiB}\n"
      "    fallback_cache: 2MiB\n");
  EXPECT_EQ(config.store->url, "sqlite:agent.db?retry=3");
  EXPECT_EQ(config.stores.at("prod").url,
            "postgresql://db/agents?schema=a&try_timeout=5s&breaker=on&"
            "fallback=sqlite:/a%20b.db%3Fbusy%3D1s&fallback_new=allow&fallback_journal=1MiB&"
            "fallback_cache=2MiB");
  EXPECT_EQ(refusal("retry: 3\nstores: {a: {url: 'sqlite:a', fallback: ''}}"),
            "t.yaml:1:1: retry stands beside the url of a store\n"
            "t.yaml:2:41: fallback: needs a value");
}

#ifdef THREADKEEP_TEST_REDIS
TEST_F(ConfigFile, names_the_stores_of_a_tiered_one) {
  const auto config = parse(
      "url: tiered:?check=put\n"
      "hot: redis://:${SECRET}@cache/0?prefix=a\n"
      "durable: postgresql://db/agents\n"
      "fallback: 'memory:'\n");
  EXPECT_EQ(config.store->url,
            "tiered:?check=put&fallback=memory:&hot=redis://:" + std::string(canary) +
                "%40cache/0%3Fprefix%3Da&durable=postgresql://db/agents");
  EXPECT_TRUE(Registry::builtin().open(config.store->url));
  EXPECT_TRUE(contains(refusal("url: 'tiered:'\nhot: 'sqlite:a'"), "'durable' must be"));
  EXPECT_TRUE(contains(refusal("url: 'sqlite:a'\nhot: 'memory:'"), "unknown parameter 'hot'"));
}
#endif

// What a URL is refused for is not told after all else was put right.
TEST_F(ConfigFile, tells_what_is_wrong_with_the_urls_at_once) {
  const auto several = refusal(
      "url: sqlite:a.db?busy=1&nosuch=1\n"
      "retry: many\n"
      "timout: 1s\n"
      "stores:\n"
      "  prod:\n"
      "    url: postgresql://u:${SECRET}@db/agents?pool_size=x\n"
      "    fallback: redis://h\n"
      "    breaker: off\n"
      "retention: {policies: [{idle: x}]}\n");
  for (const auto* part :
       {"t.yaml:1:6: url 'sqlite:a.db", "'busy'", "'nosuch'", "'retry'", "t.yaml:3:1: unknown key",
        "t.yaml:6:10: url 'postgresql:", "'pool_size'", "'fallback' must be memory: or",
        "leave breaker=off out", "t.yaml:9:", "name is missing", "idle is no duration"}) {
    EXPECT_TRUE(contains(several, part)) << part << " is not in " << several;
  }
}

TEST_F(ConfigFile, may_say_nothing) {
  for (const auto* text : {"", "# nothing\n", "{}"}) {
    const auto config = parse(text);
    EXPECT_FALSE(config.store) << text;
    EXPECT_TRUE(config.stores.empty()) << text;
  }
}

TEST_F(ConfigFile, takes_variables) {
  const auto url = [&](const std::string& text) { return parse("url: " + text).store->url; };
  variables["NAME"] = "a.db";
  variables["TRICK"] = "${SECRET}";
  EXPECT_EQ(url("sqlite:${NAME}"), "sqlite:a.db");
  EXPECT_EQ(url("sqlite:${NOSUCH:-b.db}"), "sqlite:b.db");
  EXPECT_EQ(url("sqlite:${EMPTY:-c.db}"), "sqlite:c.db");
  EXPECT_EQ(url("'sqlite:${NAME:-b.db}${NAME}'"), "sqlite:a.dba.db");
  EXPECT_EQ(url("sqlite:$$x$y"), "sqlite:$x$y");
  EXPECT_EQ(url("sqlite:${TRICK}"), "sqlite:${SECRET}") << "filled in once";
  EXPECT_EQ(url("\"sqlite:a: b\""), "sqlite:a: b") << "what YAML quotes";
  EXPECT_EQ(parse("timeout: ${NOSUCH:-1h}\nurl: 'sqlite:x'").store->timeout, 1h);
}

TEST_F(ConfigFile, tells_all_that_is_wrong_with_its_place) {
  EXPECT_EQ(
      refusal("ulr: sqlite:a\n"
              "timeout: 5\n"
              "stores:\n"
              "  prod:\n"
              "    url:\n"
              "    retries: 3\n"
              "  test: {timeout: 1s}\n"
              "  none: {url: 'sqlite:${NOSUCH}'}\n"),
      "t.yaml:1:1: unknown key 'ulr'; known are: url, timeout, stores, retention, migrate, "
      "try_timeout, "
      "retry, breaker, "
      "fallback, fallback_new, fallback_journal, fallback_cache, hot, durable\n"
      "t.yaml:2:10: timeout must be a duration such as 500ms, 90s, 30m or 6h\n"
      "t.yaml:5:5: url: needs a value\n"
      "t.yaml:6:5: unknown key 'retries'; known are: url, timeout, try_timeout, retry, breaker, "
      "fallback, fallback_new, fallback_journal, fallback_cache, hot, durable\n"
      "t.yaml:7:9: store test needs a url\n"
      "t.yaml:8:15: url: the variable NOSUCH is not set; write ${NOSUCH:-default} where it "
      "need not be");
}

TEST_F(ConfigFile, takes_policies_in_their_order) {
  const auto config = parse(
      "retention:\n"
      "  policies:\n"
      "    - name: ${NAME:-free}\n"
      "      threads: 'chat-*'\n"
      "      metadata: {tier: free, age: 3, id: '3', vip: true}\n"
      "      idle: 7d\n"
      "      expiry: fixed\n"
      "    - {name: rest, keep_last: 3, idle: off}\n");
  ASSERT_TRUE(config.retention);
  EXPECT_EQ(retention::to_json(config.retention->policies),
            R"([{"age":"off","expiry":"fixed","idle":"7d","keep_last":"off",)"
            R"("metadata":{"age":3,"id":"3","tier":"free","vip":true},)"
            R"("name":"free","threads":"chat-*"},)"
            R"({"age":"off","idle":"off","keep_last":3,"name":"rest","threads":"*"}])");
  EXPECT_TRUE(parse("retention: {policies: []}").retention->policies.empty());
  EXPECT_FALSE(parse("timeout: 1s").retention);
}

TEST_F(ConfigFile, takes_how_long_tombstones_and_the_audit_stay) {
  const auto keep_of = [&](const std::string& text) {
    return parse("retention: {policies: []" + text + "}").retention->keep;
  };
  EXPECT_EQ(keep_of(""), retention::KeepTimes());
  const auto keep = keep_of(", tombstones: 4w, audit: off");
  EXPECT_EQ(keep.tombstones, std::chrono::weeks(4));
  EXPECT_EQ(keep.audit.count(), 0);
  const std::string told = refusal("retention:\n  policies: []\n  tombstones: 15m\n  audit: -1d\n");
  EXPECT_NE(told.find("t.yaml:3:15: tombstones is shorter than 1h"), told.npos) << told;
  EXPECT_NE(told.find("t.yaml:4:10: audit is no duration"), told.npos) << told;
}

TEST_F(ConfigFile, tells_all_that_is_wrong_with_policies_with_its_place) {
  EXPECT_EQ(refusal("retention:\n"
                    "  policies:\n"
                    "    - idle: -7d\n"
                    "      keep: 3\n"
                    "    - name: a\n"
                    "      metadata: [x]\n"
                    "      expiry: ${SECRET}\n"
                    "    - name: a\n"
                    "      age: [1d]\n"
                    "    - word\n"),
            "t.yaml:3:7: name is missing; name the policy, reports use it\n"
            "t.yaml:3:13: idle is no duration; write a whole number and a unit, such as 90s, 15m, "
            "12h, 7d or 4w, up to 100 years, or off\n"
            "t.yaml:4:7: unknown key 'keep'; known are: name, threads, metadata, idle, expiry, "
            "age, keep_last\n"
            "t.yaml:6:17: metadata must be a map of keys and values\n"
            "t.yaml:7:15: expiry is neither sliding nor fixed\n"
            "t.yaml:8:13: name is that of another policy; give each a name of its own\n"
            "t.yaml:9:12: age must be one value\n"
            "t.yaml:10:7: a policy must be a map of keys and values\n"
            "t.yaml:10:7: name is missing; name the policy, reports use it");
  EXPECT_EQ(refusal("retention: {}"), "t.yaml:1:12: retention needs policies, which are a list");
  EXPECT_EQ(refusal("retention: {policies: 3}"),
            "t.yaml:1:23: retention needs policies, which are a list");
}

TEST_F(ConfigFile, refuses_what_nobody_means) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"url: [a]", "t.yaml:1:6: url must be one value"},
      {"url: ''", "url: needs a value"},
      {"url: ${EMPTY}", "url: needs a value"},
      {"url: nosuch:place", "url: must begin with one of: "},
      {"url: no url", "it must begin with a scheme"},
      {"url: sqlite:${", "url: a ${ has no }"},
      {"url: 'sqlite:${a b}'", "${NAME}"},
      {"url: sqlite:a\nurl: sqlite:b", "t.yaml:2:1: the key 'url' is there twice"},
      {"timeout: 5 minutes", "timeout must be a duration"},
      {"timeout: -5s", "timeout must be a duration"},
      {"timeout: 5s&x=1", "timeout must be a duration"},
      {"stores: sqlite:a", "stores must be a map"},
      {"stores: {'a b': {url: 'sqlite:a'}}", "must be of letters"},
      {"[1]: 2", "this key"},
      {"- url", "the file must be a map"},
      {"url: a\n---\nurl: b", "something follows the end"},
      {"{url: }\",{url: }\", ul 1}\n", "this is no YAML"},
      {"{url: sqlite:a} timeout", "something follows the end"},
      {"url: [", "this is no YAML"},
      {"url: sqlite:a\n timeout: 1s", "t.yaml:2:"},
  };
  for (const auto& [text, message] : wrong) {
    EXPECT_TRUE(contains(refusal(text), message)) << text << ": " << refusal(text);
  }
}

TEST_F(ConfigFile, never_shows_a_value) {
  const std::string secret = canary;
  for (const std::string& text :
       Arguments{"url: " + secret, "url: postgresql://u:" + secret + "/x@h", "url: *" + secret,
                 "timeout: " + secret, "timeout: ${SECRET}", "url: nosuch://${SECRET}",
                 "{postgresql://u:" + secret + "@h/db: x}", "url: [" + secret + "]", secret,
                 "stores: {prod: " + secret + "}", "url: \"\\q" + secret + "\"",
                 "url: ${" + secret + "-}", "url: !" + secret + " [",
                 "url: &" + secret + " *x" + secret}) {
    EXPECT_FALSE(refusal(text).empty()) << text;
  }
}
#endif

TEST_F(ConfigFile, is_bounded) {
  EXPECT_TRUE(contains(refusal(std::string(2'000'000, '#')), "too long"));
  EXPECT_TRUE(contains(refusal(std::string(100'000, '[')), "this is no YAML"));
}

#ifdef THREADKEEP_TEST_SQLITE
/// A directory in which the command runs, with a file that names two stores.
class ConfigCommand : public Cli {
 protected:
  ConfigCommand() {
    write("threadkeep.yaml", "url: sqlite:usual.db\nstores: {prod: {url: sqlite:prod.db}}\n");
    write("other.yaml", "url: sqlite:other.db\n");
  }

  void write(const std::string& file, const std::string& text) {
    std::ofstream(directory.path() / file) << text;
  }
  // `before` is set in the environment.
  std::string run_there(const std::string& arguments, int status = done,
                        const std::string& before = "") {
    return testing::run_program({"/bin/bash", "-c", "cd \"$1\"; " + before + " \"$0\" " + arguments,
                                 THREADKEEP_COMMAND, directory.path()},
                                status);
  }
};

TEST_F(ConfigCommand, takes_the_store_of_the_file_where_none_is_named) {
  EXPECT_TRUE(contains(run_there("setup"), "sqlite:usual.db is set up"));
  EXPECT_TRUE(contains(run_there("setup --store prod"), "sqlite:prod.db is set up"));
  EXPECT_TRUE(contains(run_there("setup --config other.yaml"), "sqlite:other.db is set up"));
  const std::string env = "THREADKEEP_CONFIG=other.yaml";
  EXPECT_TRUE(contains(run_there("setup", done, env), "sqlite:other.db is set up"));
}

TEST_F(ConfigCommand, lets_options_win_over_the_environment_and_it_over_the_file) {
  const std::string env = "THREADKEEP_URL=sqlite:env.db";
  EXPECT_TRUE(contains(run_there("setup --url sqlite:option.db", done, env), "sqlite:option.db"));
  EXPECT_TRUE(contains(run_there("setup", done, env), "sqlite:env.db"));
  EXPECT_TRUE(contains(run_there("setup --store prod", done, env), "sqlite:prod.db"));
  EXPECT_TRUE(contains(run_there("setup --config other.yaml", done, env), "sqlite:other.db"));
}

TEST_F(ConfigCommand, does_not_read_the_file_where_a_url_is_given) {
  write("threadkeep.yaml", "[");
  EXPECT_TRUE(contains(run_there("setup --url sqlite:option.db"), "is set up"));
}

TEST_F(ConfigCommand, refuses_what_it_cannot_find) {
  EXPECT_TRUE(contains(run_there("setup --store nosuch", usage), "there are: prod"));
  EXPECT_TRUE(contains(run_there("setup --config nosuch.yaml", failed), "cannot read"));
  EXPECT_TRUE(contains(run_there("setup --store a --url sqlite:x", usage), "excludes"));
  write("threadkeep.yaml", "timeout: 1s\n");
  EXPECT_TRUE(contains(run_there("setup", usage), "which store?"));
  write("threadkeep.yaml", "ulr: x\n");
  EXPECT_TRUE(contains(run_there("setup", usage), "threadkeep.yaml:1:1: unknown key"));
  const auto report = nlohmann::json::parse(run_there("setup --json", usage));
  EXPECT_EQ(report.at("code"), "invalid_argument");
  std::filesystem::remove(directory.path() / "threadkeep.yaml");
  EXPECT_TRUE(contains(run_there("setup --store prod", failed), "cannot read"));
}

TEST_F(ConfigCommand, takes_the_time_limit_of_the_file_where_no_option_says_another) {
  write("threadkeep.yaml", "url: sqlite:a.db\ntimeout: 0s\n");
  EXPECT_TRUE(contains(run_there("threads list", failed), "timeout"));
}
#endif

}  // namespace
}  // namespace threadkeep
