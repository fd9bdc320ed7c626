// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <algorithm>
#include <charconv>

#include "keywords.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

constexpr std::size_t longest_identifier = 63;
constexpr int most_seconds = 86'400;

std::optional<int> parse_integer(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

void take_pool_size(Url& url, std::size_t& size) {
  const auto text = url.take("pool_size");
  if (!text) return;
  const auto number = parse_integer(*text);
  if (number && *number >= 1 && *number <= 1000) {
    size = static_cast<std::size_t>(*number);
  } else {
    url.problem("parameter 'pool_size' must be a number from 1 to 1000");
  }
}

void take_duration(Url& url, std::string_view key, std::chrono::milliseconds& duration) {
  duration = url.take_duration(key).value_or(duration);
}

// libpq's keyword: seconds, and 0 or less mean no limit.
void read_connect_timeout(Url& url, Settings& settings) {
  const auto text = value_of(with_defaults(settings.connection), "connect_timeout");
  remove_value(settings.connection, "connect_timeout");
  if (text.empty()) return;
  const auto seconds = parse_integer(text);
  if (!seconds || *seconds > most_seconds) {
    url.problem("parameter 'connect_timeout' must be a number of seconds");
    return;
  }
  settings.connect_timeout = std::chrono::seconds(std::max(*seconds, 0));
}

void take_prepare(Url& url, Prepare& prepare) {
  const auto choice = url.take_choice("prepare", {"auto", "always", "never"});
  if (choice == "always") prepare = Prepare::always;
  if (choice == "never") prepare = Prepare::never;
}

void take_schema(Url& url, std::optional<std::string>& schema) {
  schema = url.take("schema");
  if (!schema) return;
  if (schema->size() > longest_identifier) {
    url.problem("parameter 'schema' must have at most 63 bytes");
  }
  if (schema->starts_with("pg_")) {
    url.problem("parameter 'schema' must not begin with pg_, which is the server's own");
  }
}

std::string place_with_schema(const Keywords& keywords, const std::optional<std::string>& schema) {
  return place_of(keywords) + (schema ? "?schema=" + *schema : "");
}

Keywords read_direct(std::string_view text) {
  Url url = Url::parse(text);
  if (url.scheme() != "postgres" && url.scheme() != "postgresql") {
    throw Error(Code::invalid_argument, "it must begin with postgresql://");
  }
  Keywords keywords = take_keywords(url);
  url.finish();
  return keywords;
}

void take_direct(Url& url, std::optional<Keywords>& direct) {
  const auto text = url.take("direct_url");
  if (!text) return;
  try {
    direct = read_direct(*text);
  } catch (const Error& error) {
    url.problem("parameter 'direct_url': " + error.message());
  }
}

}  // namespace

Settings for_setup(const Settings& settings) {
  Settings out = settings;
  if (settings.direct) {
    out.connection = *settings.direct;
    out.place = place_with_schema(out.connection, out.schema);
  }
  return out;
}

Settings read_settings(Url& url) {
  Settings settings;
  settings.connection = take_keywords(url);
  read_connect_timeout(url, settings);
  take_direct(url, settings.direct);
  take_schema(url, settings.schema);
  take_pool_size(url, settings.pool_size);
  take_duration(url, "pool_wait", settings.pool_wait);
  take_duration(url, "pool_idle_check", settings.pool_idle_check);
  take_duration(url, "pool_max_lifetime", settings.pool_max_lifetime);
  take_prepare(url, settings.prepare);
  settings.place = place_with_schema(settings.connection, settings.schema);
  url.finish();
  return settings;
}

}  // namespace threadkeep::postgres
