// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/registry.hpp"

#include <gtest/gtest.h>

#include "recording_backend.hpp"

namespace threadkeep {
namespace {

Registry::Factory recording() {
  return [](Url& url, const Environment&) {
    url.finish();
    return std::make_unique<testing::RecordingBackend>(std::make_shared<testing::Recorder>());
  };
}

Error refusal(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::internal, "no error");
}

TEST(RegistryOf, backends_opens_them_by_scheme) {
  Registry registry;
  registry.add("mine", recording());
  EXPECT_EQ(registry.open("mine:place")->capabilities().name, "recording");
  EXPECT_EQ(open("MINE:place", registry)->capabilities().name, "recording");
}

TEST(RegistryOf, this_build_knows_its_backends) {
  const auto schemes = Registry::builtin().schemes();
  std::vector<std::string> expected;
#ifdef THREADKEEP_TEST_MEMORY
  expected.emplace_back("memory");
#endif
#ifdef THREADKEEP_TEST_POSTGRES
  expected.insert(expected.end(), {"postgres", "postgresql"});
#endif
#ifdef THREADKEEP_TEST_REDIS
  expected.insert(expected.end(),
                  {"redis", "redis+sentinel", "redis+unix", "rediss", "rediss+sentinel"});
#endif
#ifdef THREADKEEP_TEST_SQLITE
  expected.emplace_back("sqlite");
#endif
  expected.emplace_back("tiered");
#ifdef THREADKEEP_TEST_REDIS
  expected.insert(expected.end(),
                  {"valkey", "valkey+sentinel", "valkey+unix", "valkeys", "valkeys+sentinel"});
#endif
  EXPECT_EQ(schemes, expected);
}

TEST(RegistryOf, backends_takes_a_scheme_once) {
  auto registry = Registry::builtin();
  registry.add("mine", recording());
  EXPECT_EQ(refusal([&] { registry.add("mine", recording()); }).code(), Code::duplicate);
  for (const auto& scheme : Registry::builtin().schemes()) {
    EXPECT_EQ(refusal([&] { registry.add(scheme, recording()); }).code(), Code::duplicate);
  }
}

TEST(RegistryOf, backends_refuses_what_is_no_scheme) {
  Registry registry;
  for (const std::string scheme : {"", "1a", "+a", "a b", "a:", "\u00e9", "a_b"}) {
    EXPECT_EQ(refusal([&] { registry.add(scheme, recording()); }).code(), Code::invalid_argument)
        << scheme;
  }
  registry.add("a1+b-c.d", recording());
}

TEST(RegistryOf, backends_names_those_that_it_knows) {
  Registry registry;
  registry.add("first", recording());
  registry.add("second", recording());
  const auto error = refusal([&] { registry.open("third:x"); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  for (const auto* part : {"third", "first", "second"}) {
    EXPECT_NE(error.message().find(part), std::string::npos) << error.message();
  }
}

TEST(RegistryOf, backends_hands_over_the_environment) {
  Registry registry;
  std::int64_t seen = 0;
  registry.add("mine", [&](Url&, const Environment& environment) {
    seen = environment.now();
    return std::make_unique<testing::RecordingBackend>(std::make_shared<testing::Recorder>());
  });
  registry.open("mine:", Environment{[] { return std::int64_t{42}; }});
  EXPECT_EQ(seen, 42);
}

TEST(RegistryOf, backends_shows_no_password_of_a_url) {
  Registry registry;
  registry.add("mine", recording());
  const auto error = refusal([&] { registry.open("mine://u:hunter2@h/?wrong=1"); });
  EXPECT_EQ(error.message().find("hunter2"), std::string::npos) << error.message();
  const auto unknown = refusal([&] { registry.open("other://u:hunter2@h/"); });
  EXPECT_EQ(unknown.message().find("hunter2"), std::string::npos) << unknown.message();
}

// What stands where of the URL, for a backend that never answers.
struct LayerCase {
  std::string url;
  std::vector<std::string> problems;  // none: it opens
};

class RegistryLayers : public ::testing::TestWithParam<LayerCase> {};

TEST_P(RegistryLayers, are_taken_from_the_url) {
  Registry registry;
  registry.add("mine", recording());
  registry.add("memory", recording());
  registry.add("sqlite", recording());
  const auto& [url, problems] = GetParam();
  if (problems.empty()) {
    EXPECT_EQ(registry.open_for_tools(url)->capabilities().name, "recording");
    return;
  }
  const auto error = refusal([&] { registry.open(url); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  for (const std::string& part : problems) {
    EXPECT_NE(error.message().find(part), std::string::npos) << error.message();
  }
  EXPECT_EQ(refusal([&] { registry.open_for_tools(url); }).message(), error.message());
}

INSTANTIATE_TEST_SUITE_P(
    , RegistryLayers,
    ::testing::Values(
        LayerCase{"mine:", {}}, LayerCase{"mine:?try_timeout=5s&retry=3&breaker=on", {}},
        LayerCase{"mine:?retry=off&breaker=off", {}}, LayerCase{"mine:?retry=100", {}},
        LayerCase{"mine:?fallback=memory:&fallback_new=allow&fallback_journal=1MiB", {}},
        LayerCase{"mine:?fallback=sqlite%3A/a%20b.db&fallback_cache=1GiB&breaker=on", {}},
        LayerCase{"mine:?try_timeout=0s", {"'try_timeout' must be above 0"}},
        LayerCase{"mine:?retry=1", {"'retry' must be off"}},
        LayerCase{"mine:?retry=101", {"'retry' must be off"}},
        LayerCase{"mine:?retry=3x", {"'retry' must be off"}},
        LayerCase{"mine:?retry=-3", {"'retry' must be off"}},
        LayerCase{"mine:?breaker=yes", {"'breaker' must be one of: on, off"}},
        LayerCase{"mine:?breaker=off&fallback=memory:", {"leave breaker=off out"}},
        LayerCase{"mine:?fallback=mine:", {"'fallback' must be memory: or sqlite:PATH"}},
        LayerCase{"mine:?fallback=here", {"'fallback': url: it must begin with a scheme"}},
        LayerCase{"mine:?fallback=memory:%3Fretry%3D3", {"'fallback':", "unknown", "'retry'"}},
        LayerCase{"mine:?fallback=memory:%3Ffallback%3Dmemory:",
                  {"'fallback':", "unknown parameter 'fallback'"}},
        LayerCase{"mine:?fallback_journal=1MiB", {"'fallback_...' need a fallback"}},
        LayerCase{"mine:?fallback_new=yes&fallback_journal=1&fallback_cache=x&fallback=x:&retry=0&"
                  "breaker=1&try_timeout=1&own=1",
                  {"'fallback_new'", "'fallback_journal'", "'fallback_cache'", "'fallback' must",
                   "'retry'", "'breaker'", "'try_timeout'", "unknown parameter 'own'"}}));

TEST(LayersOfARegistry, need_a_backend_for_what_goes_on_in_memory) {
  Registry registry;
  registry.add("mine", recording());
  registry.add("sqlite", recording());
  const auto error = refusal([&] { registry.open("mine:?fallback=sqlite:j.db&own=1"); });
  EXPECT_NE(error.message().find("needs the memory backend"), std::string::npos) << error.what();
  EXPECT_NE(error.message().find("'own'"), std::string::npos) << error.what();
}

TEST(LayersOfARegistry, show_no_password_of_a_fallback) {
  Registry registry;
  registry.add("mine", recording());
  registry.add("memory", recording());
  for (const std::string fallback :
       {"redis%3A//%3Ahunter2%40h", "memory:%3Fpassword%3Dhunter2", "hunter2%40h",
        "memory:%3Ffallback%3Dredis%253A//%253Ahunter2%2540h"}) {
    const auto error = refusal([&] { registry.open("mine:?fallback=" + fallback); });
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_EQ(error.message().find("hunter2"), std::string::npos) << error.message();
  }
}

TEST(SystemEnvironment, tells_the_time) {
  const auto now = Environment::system().now();
  EXPECT_GT(now, 1'700'000'000'000'000);
  EXPECT_GE(Environment::system().now(), now);
}

}  // namespace
}  // namespace threadkeep
