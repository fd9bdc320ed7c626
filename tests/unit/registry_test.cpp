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

TEST(SystemEnvironment, tells_the_time) {
  const auto now = Environment::system().now();
  EXPECT_GT(now, 1'700'000'000'000'000);
  EXPECT_GE(Environment::system().now(), now);
}

}  // namespace
}  // namespace threadkeep
