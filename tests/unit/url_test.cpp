// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/url.hpp"

#include <gtest/gtest.h>

#include "threadkeep/error.hpp"

namespace threadkeep {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// The message of the error that `run` ends with; "" when there is none.
template <class Run>
std::string refusal(Run run) {
  try {
    run();
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct Row {
  std::string text;
  std::string scheme;
  std::optional<std::string> authority;
  std::string path;
};

class UrlParts : public ::testing::TestWithParam<Row> {};

TEST_P(UrlParts, are_taken_apart) {
  const auto& row = GetParam();
  auto url = Url::parse(row.text);
  EXPECT_EQ(url.scheme(), row.scheme);
  EXPECT_EQ(url.authority(), row.authority);
  EXPECT_EQ(url.path(), row.path);
}

INSTANTIATE_TEST_SUITE_P(
    , UrlParts,
    ::testing::Values(Row{"memory:", "memory", {}, ""}, Row{"sqlite:a.db", "sqlite", {}, "a.db"},
                      Row{"sqlite:dir/a.db", "sqlite", {}, "dir/a.db"},
                      Row{"sqlite:/abs/a.db", "sqlite", {}, "/abs/a.db"},
                      Row{"sqlite:///abs/a.db", "sqlite", "", "/abs/a.db"},
                      Row{"SQLite:A.db", "sqlite", {}, "A.db"},
                      Row{"postgresql://u:p@h:5432/db", "postgresql", "u:p@h:5432", "/db"},
                      Row{"redis://h", "redis", "h", ""},
                      Row{"redis://[::1]:6379/0", "redis", "[::1]:6379", "/0"},
                      Row{"sqlite:a%20b%3F%25.db", "sqlite", {}, "a b?%.db"},
                      Row{"sqlite:%C3%A9.db", "sqlite", {}, "\u00e9.db"},
                      Row{"sqlite:a+b.db", "sqlite", {}, "a+b.db"},
                      Row{"sqlite:C:/a.db", "sqlite", {}, "C:/a.db"},
                      Row{"x+y-z.1:p", "x+y-z.1", {}, "p"}));

TEST(UrlText, without_sense_is_refused) {
  for (const auto& text :
       {""s, "agent.db"s, ":x"s, "/a:b"s, "?a:b"s, "sqlite:%"s, "sqlite:%4"s, "sqlite:%zz"s,
        "sqlite:a%00b"s, "sqlite:a\0b"s, "sqlite:\xff"s, "sqlite:%ff"s, "sqlite:a#b"s,
        "sqlite:a?k=v#b"s, "sqlite:a?k=%"s, "sqlite:a?k=%ff"s, "redis://%zz/"s}) {
    EXPECT_NE(refusal([&] { Url::parse(text); }), "") << text;
  }
}

TEST(UrlText, that_is_too_long_is_refused) {
  EXPECT_EQ(Url::parse("x:" + std::string(65'534, 'a')).path().size(), 65'534U);
  const auto refused = refusal([] { Url::parse("x:" + std::string(65'535, 'a')); });
  EXPECT_TRUE(mentions(refused, "65537 bytes long; at most 65536")) << refused;
  EXPECT_LT(refused.size(), 200U);
}

TEST(UrlText, within_itself_again_and_again_is_not_taken_apart) {
  std::string text = "x:";
  while (text.size() < 60'000) text += "?a=x:";
  EXPECT_EQ(Url::parse(text).redacted(), "x:?a=***");
}

TEST(UrlParameters, are_taken_once_known) {
  auto url = Url::parse("sqlite:a.db?busy=5s&synchronous=full&x=%26%3D+");
  EXPECT_EQ(url.take("busy"), "5s");
  EXPECT_EQ(url.take("synchronous"), "full");
  EXPECT_EQ(url.take("x"), "&=+");
  EXPECT_EQ(url.take("absent"), std::nullopt);
  EXPECT_EQ(refusal([&] { url.finish(); }), "");
}

TEST(UrlParameters, that_are_wrong_are_reported_together) {
  auto url = Url::parse("sqlite:a.db?busy=5&unknown=1&empty=&twice=a&twice=b&mode=wild");
  EXPECT_EQ(url.take_duration("busy"), std::nullopt);
  url.take("twice");
  EXPECT_EQ(url.take_choice("mode", {"calm", "quiet"}), std::nullopt);
  url.problem("the path must not be a directory");
  const auto message = refusal([&] { url.finish(); });
  for (const auto* part : {"busy", "500ms", "unknown", "empty", "twice", "mode", "calm", "quiet",
                           "the path must not be a directory"}) {
    EXPECT_TRUE(mentions(message, part)) << part << " is missing in: " << message;
  }
}

TEST(UrlParameters, may_be_durations) {
  auto url = Url::parse("x:?a=500ms&b=5s&c=2m&d=1h&e=7d&f=0s");
  EXPECT_EQ(url.take_duration("a"), 500ms);
  EXPECT_EQ(url.take_duration("b"), 5s);
  EXPECT_EQ(url.take_duration("c"), 2min);
  EXPECT_EQ(url.take_duration("d"), 1h);
  EXPECT_EQ(url.take_duration("e"), 168h);
  EXPECT_EQ(url.take_duration("f"), 0ms);
  EXPECT_EQ(url.take_duration("absent"), std::nullopt);
  url.finish();
}

TEST(UrlParameters, are_durations_up_to_what_a_clock_can_count) {
  auto url = Url::parse("x:?a=36500d&b=36501d");
  const auto longest = url.take_duration("a");
  ASSERT_TRUE(longest);
  EXPECT_GT(std::chrono::nanoseconds(*longest).count(), 0);
  EXPECT_EQ(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(*longest)),
      *longest);
  EXPECT_EQ(url.take_duration("b"), std::nullopt);
  const auto message = refusal([&] { url.finish(); });
  EXPECT_TRUE(mentions(message, "at most 36500d")) << message;
  EXPECT_FALSE(mentions(message, "'a'")) << message;
}

TEST(UrlParameters, that_are_given_twice_are_not_unknown) {
  auto url = Url::parse("x:?busy=1s&busy=2s");
  EXPECT_EQ(url.take_duration("busy"), 1s);
  const auto message = refusal([&] { url.finish(); });
  EXPECT_TRUE(mentions(message, "'busy' is given twice")) << message;
  EXPECT_FALSE(mentions(message, "unknown")) << message;
}

TEST(UrlParameters, that_are_unknown_are_answered_with_the_known_ones) {
  auto url = Url::parse("x:p?bsy=1s&mode=calm");
  url.take_duration("busy");
  url.take_choice("mode", {"calm", "quiet"});
  EXPECT_EQ(refusal([&] { url.finish(); }),
            "invalid_argument: url 'x:p?bsy=***&mode=calm': "
            "unknown parameter 'bsy'; known are: busy, mode");
  EXPECT_EQ(url.redacted(), "x:p?bsy=1s&mode=calm");
  auto none = Url::parse("x:?a=1");
  EXPECT_TRUE(mentions(refusal([&] { none.finish(); }), "'a'; there are none"));
}

TEST(UrlText, with_a_fragment_is_refused_with_the_remedy) {
  EXPECT_TRUE(mentions(refusal([] { Url::parse("sqlite:x.db#frag"); }), "write %23"));
  EXPECT_EQ(Url::parse("sqlite:x%23frag.db").path(), "x#frag.db");
}

TEST(UrlParameters, that_are_no_durations_are_reported) {
  for (const std::string text :
       {"5", "s", "-5s", "5 s", "5S", "1.5s", "5sec", "5ms5", "0x5s", "99999999999999999999s",
        "9223372036854775807d", "36501d", "200000d", "3153600000001ms"}) {
    auto url = Url::parse("x:?a=" + text);
    EXPECT_EQ(url.take_duration("a"), std::nullopt) << text;
    EXPECT_TRUE(mentions(refusal([&] { url.finish(); }), "'a'")) << text;
  }
}

TEST(UrlParameters, may_be_sizes) {
  auto url = Url::parse("x:?a=1KiB&b=64MiB&c=2GiB&d=16777215GiB");
  EXPECT_EQ(url.take_size("a"), 1024U);
  EXPECT_EQ(url.take_size("b"), 64U << 20);
  EXPECT_EQ(url.take_size("c"), std::size_t{2} << 30);
  EXPECT_EQ(url.take_size("d"), std::size_t{16777215} << 30);
  EXPECT_EQ(url.take_size("e"), std::nullopt);
  url.finish();
  for (const std::string text : {"1", "MiB", "0KiB", "-1KiB", "1kib", "1MB", "1 MiB", "1.5MiB",
                                 "99999999999999999999KiB", "18446744073709551615GiB"}) {
    auto wrong = Url::parse("x:?a=" + percent_encode(text));
    EXPECT_EQ(wrong.take_size("a"), std::nullopt) << text;
    EXPECT_TRUE(mentions(refusal([&] { wrong.finish(); }), "'a'")) << text;
  }
}

TEST(UrlText, is_what_was_encoded) {
  const std::string text = "sqlite:/a b/\u00e9.db?busy=1s&x=100%";
  EXPECT_EQ(percent_encode(text), "sqlite:/a%20b/%C3%A9.db%3Fbusy%3D1s%26x%3D100%25");
  EXPECT_EQ(Url::parse("x:?fallback=" + percent_encode(text)).take("fallback"), text);
}

TEST(UrlRedacted, shows_no_password) {
  for (const std::string text :
       {"postgresql://user:hunter2@host/db", "postgresql://user:hunter2@ho@st/db",
        "redis://:hunter2@host", "x:?password=hunter2", "x:?auth_token=hunter2&a=b",
        "x:?SSLPassword=hunter2", "x:?client_secret=hunter2", "x:?passphrase=hunter2"}) {
    const auto shown = Url::parse(text).redacted();
    EXPECT_FALSE(mentions(shown, "hunter2")) << shown;
    EXPECT_TRUE(mentions(shown, "***")) << shown;
  }
  EXPECT_EQ(Url::parse("x://u:p@h/db?a=b&password=c").redacted(),
            "x://u:***@h/db?a=b&password=***");
}

TEST(UrlRedacted, shows_nothing_of_parameters_that_may_be_misspelled_secrets) {
  for (const std::string text : {"x://h?passwort=hunter2", "x://h?sslpasword=hunter2&known=1",
                                 "x://h?known=y%3A//h%3Fpasswort%3Dhunter2%26a%3Db&a=1"}) {
    auto url = Url::parse(text);
    url.take("known");
    const auto message = refusal([&] { url.finish(); });
    EXPECT_FALSE(mentions(message, "hunter2")) << message;
    EXPECT_TRUE(mentions(message, "unknown parameter")) << message;
  }
}

TEST(UrlRedacted, shows_no_password_of_a_url_within_the_url) {
  EXPECT_EQ(Url::parse("x://h?direct_url=y%3A//u%3Ahunter2%40h/db%3Fpassword%3Dhunter2%26a%3Db")
                .redacted(),
            "x://h?direct_url=y://u:***@h/db?password=***&a=b");
  EXPECT_EQ(
      Url::parse("tiered:?hot=redis%3A//%3Ahunter2%40h&durable=postgresql%3A//u%3Ahunter2%40h/"
                 "db%3Ffallback%3Dsqlite%253Aj.db%253Fkey_secret%253Dhunter2")
          .redacted(),
      "tiered:?hot=redis://:***@h&durable=postgresql://u:***@h/db?fallback=sqlite:j.db?"
      "key_secret=***");
  EXPECT_EQ(Url::parse("x:?fallback=sqlite%3Aa%3Fbusy%3D1s").redacted(),
            "x:?fallback=sqlite:a?busy=1s");
  for (const std::string text :
       {"x://h?direct_url=y%3A//u%3Ahun/ter2%40h", "x://h?direct_url=%20://u%3Ahunter2%40h%2500",
        "x://h?direct_url=y%3A//h%3Fdirect_url%3Dz%253A//u%253Ahunter2%2540h",
        "x://h?dbname=host%3Dh%20password%3Dhunter2", "x://h?dbname=password%3Da://hunter2"}) {
    const auto shown = Url::parse(text).redacted();
    EXPECT_FALSE(mentions(shown, "ter2")) << shown;
    EXPECT_TRUE(mentions(shown, "***")) << shown;
  }
  EXPECT_EQ(Url::parse("x://h?passfile=/home/u/.pgpass").redacted(),
            "x://h?passfile=/home/u/.pgpass");
}

TEST(UrlText, with_a_password_that_is_not_escaped_is_refused_without_showing_it) {
  for (const std::string text :
       {"x://user:hun/ter2@host/db", "x://user:hun?ter2@host/db", "x://:hun/ter2@host",
        "x://user:hun?a=ter2@host/db", "x://user:12/ter2@host", "x://user:12?ter2@host"}) {
    const auto message = refusal([&] { Url::parse(text); });
    EXPECT_TRUE(mentions(message, "%2F")) << text;
    EXPECT_FALSE(mentions(message, "ter2")) << message;
  }
  for (const std::string text : {"x://h:1/db?a=b@c", "x://h:1,h2:2/db?a=b@c", "x://[::1]/db@c",
                                 "x://h/db@c", "x:///db:a@c", "x://u:p@h/db@c?a@b=c@d"}) {
    EXPECT_EQ(refusal([&] { Url::parse(text); }), "") << text;
  }
}

TEST(UrlRedacted, is_what_errors_show) {
  auto url = Url::parse("postgresql://user:hunter2@host/db?password=hunter2&wrong=1");
  url.take("password");
  EXPECT_FALSE(mentions(refusal([&] { url.finish(); }), "hunter2"));
}

}  // namespace
}  // namespace threadkeep
