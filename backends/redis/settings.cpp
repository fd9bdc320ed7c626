// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace threadkeep::redis {

namespace {

std::optional<int> number(std::string_view text, int least, int greatest) {
  int value = 0;
  const auto end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc() || at != end || value < least || value > greatest) return {};
  return value;
}

// Url has checked that the escapes are whole.
std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '%') {
      std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      i += 2;
    }
    out += static_cast<char>(byte);
  }
  return out;
}

void read_credentials(std::string_view text, Settings& settings) {
  const auto colon = text.find(':');
  const auto user = text.substr(0, colon);
  if (!user.empty()) settings.user = percent_decode(user);
  if (colon != std::string_view::npos) settings.password = percent_decode(text.substr(colon + 1));
}

// "host", "host:port", "[::1]:port"; what is not there is as in `otherwise`.
HostAndPort read_host(std::string_view text, Url& url, HostAndPort otherwise) {
  if (text.empty()) return otherwise;
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const auto host =
      bracket == std::string_view::npos ? text.substr(0, colon) : text.substr(1, bracket - 1);
  if (!host.empty()) otherwise.host = percent_decode(host);
  if (colon == std::string_view::npos) return otherwise;
  const auto port = number(text.substr(colon + 1), 1, 65535);
  if (!port) url.problem("the port must be a number from 1 to 65535");
  otherwise.port = static_cast<std::uint16_t>(port.value_or(0));
  return otherwise;
}

int read_number(Url& url, std::string_view key, int otherwise, int least, int greatest) {
  const auto text = url.take(key);
  if (!text) return otherwise;
  const auto value = number(*text, least, greatest);
  if (!value) {
    url.problem("parameter '" + std::string(key) + "' must be a number from " +
                std::to_string(least) + " to " + std::to_string(greatest));
  }
  return value.value_or(otherwise);
}

constexpr int most_databases = 1'000'000;

void read_database(std::string_view text, Url& url, Settings& settings) {
  const auto database = number(text, 0, most_databases);
  if (!database) url.problem("the number of a database must be at the end of the path, as in /0");
  settings.database = database.value_or(0);
}

void read_socket(std::string_view authority, Url& url, Settings& settings) {
  if (!authority.empty()) url.problem("takes no host; write redis+unix:///path/to/socket");
  if (url.path().size() < 2) url.problem("needs a path, as in redis+unix:///run/redis.sock");
  settings.socket = url.path();
  settings.database = read_number(url, "db", 0, 0, most_databases);
}

// "host:port,host:port" and "/master/database"
void read_sentinels(std::string_view authority, Url& url, Settings& settings) {
  constexpr std::uint16_t sentinel_port = 26379;
  while (true) {
    const auto comma = std::min(authority.find(','), authority.size());
    const auto one = authority.substr(0, comma);
    if (one.empty()) url.problem("needs sentinels: redis+sentinel://host:port,host:port/master");
    settings.sentinels.hosts.push_back(read_host(one, url, {"localhost", sentinel_port}));
    if (one.empty() || comma == authority.size()) break;
    authority.remove_prefix(comma + 1);
  }
  std::string_view path = url.path();
  path.remove_prefix(path.empty() ? 0 : 1);
  const auto slash = std::min(path.find('/'), path.size());
  settings.sentinels.master = path.substr(0, slash);
  if (slash == 0) {
    url.problem("needs the name of a master, as in redis+sentinel://host:port/mymaster");
  }
  if (slash + 1 < path.size()) read_database(path.substr(slash + 1), url, settings);
}

void read_place(Url& url, Settings& settings) {
  std::string_view authority = url.authority() ? std::string_view(*url.authority()) : "";
  const auto at = authority.rfind('@');
  if (at != std::string_view::npos) {
    read_credentials(authority.substr(0, at), settings);
    authority.remove_prefix(at + 1);
  }
  if (url.scheme().ends_with("+unix")) return read_socket(authority, url, settings);
  if (url.scheme().ends_with("+sentinel")) return read_sentinels(authority, url, settings);
  if (!url.authority()) url.problem("write redis://host:port/database");
  const auto place = read_host(authority, url, {settings.host, settings.port});
  settings.host = place.host;
  settings.port = place.port;
  if (url.path().size() > 1) read_database(std::string_view(url.path()).substr(1), url, settings);
}

std::string first_line(const std::string& path, Url& url) {
  constexpr std::streamsize most_bytes = 4096;
  std::ifstream file(path);
  std::string line(most_bytes, '\0');
  // Fails for a line that is longer, too.
  if (!file.getline(line.data(), most_bytes)) {
    url.problem("cannot read the password in '" + path + "', which is its first line, of " +
                std::to_string(most_bytes - 1) + " bytes at most");
  }
  line.resize(line.find('\0'));
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// Of the server, or with "sentinel_" before the keys.
void read_password(Url& url, const std::string& before, std::optional<std::string>& user,
                   std::optional<std::string>& password) {
  const auto variable = url.take(before + "password_env");
  const auto file = url.take(before + "password_file");
  if (auto name = url.take(before + "user")) user = std::move(name);
  if ((password ? 1 : 0) + (variable ? 1 : 0) + (file ? 1 : 0) > 1) {
    url.problem("has more than one password; keep one of " + before + "password_env, " + before +
                "password_file and the one " +
                (before.empty() ? "before the host" : "of " + before + "password"));
  }
  if (variable) {
    const char* value = std::getenv(variable->c_str());
    if (value == nullptr) url.problem("there is no environment variable '" + *variable + "'");
    password = value == nullptr ? "" : value;
  }
  if (file) password = first_line(*file, url);
  if (user && !password) url.problem("has a " + before + "user and no " + before + "password");
}

void read_passwords(Url& url, Settings& settings) {
  read_password(url, "", settings.user, settings.password);
  if (settings.sentinels.hosts.empty()) return;
  settings.sentinels.password = url.take("sentinel_password");
  read_password(url, "sentinel_", settings.sentinels.user, settings.sentinels.password);
}

void read_durability(Url& url, Settings& settings) {
  const auto choice = url.take_choice("durability", {"none", "replicas", "fsync"});
  if (choice == "replicas") settings.durability = Durability::replicas;
  if (choice == "fsync") settings.durability = Durability::fsync;
  const bool counts = settings.durability == Durability::replicas;
  settings.replicas = read_number(url, "replicas", counts ? 1 : 0, 1, 100);
  if (settings.replicas > 0 && !counts) url.problem("replicas needs durability=replicas");
  if (const auto time = url.take_duration("durability_timeout")) {
    settings.durability_timeout = *time;
    if (time->count() == 0) url.problem("durability_timeout must be longer than nothing");
  }
}

void read_tls(Url& url, Settings& settings) {
  settings.tls = url.scheme().starts_with("rediss") || url.scheme().starts_with("valkeys");
  settings.tls_ca = url.take("tls_ca").value_or("");
  settings.tls_cert = url.take("tls_cert").value_or("");
  settings.tls_key = url.take("tls_key").value_or("");
  const bool any =
      !settings.tls_ca.empty() || !settings.tls_cert.empty() || !settings.tls_key.empty();
  if (any && !settings.tls) url.problem("tls_ca, tls_cert and tls_key need rediss://");
  if (settings.tls_cert.empty() != settings.tls_key.empty()) {
    url.problem("tls_cert and tls_key belong together");
  }
}

void read_prefix(Url& url, Settings& settings) {
  if (const auto prefix = url.take("prefix")) settings.prefix = *prefix;
  if (settings.prefix.find_first_of("{}") != std::string::npos || settings.prefix.size() > 512) {
    url.problem("prefix must have at most 512 bytes and no braces");
  }
}

void read_ttl(Url& url, Settings& settings) {
  const auto ttl = url.take_duration("ttl");
  if (!ttl) return;
  if (ttl->count() == 0) url.problem("ttl must be longer than nothing; without it threads stay");
  settings.ttl = *ttl;
}

std::string describe_server(const Settings& settings) {
  if (!settings.socket.empty()) return settings.socket;
  if (settings.sentinels.hosts.empty()) return to_string({settings.host, settings.port});
  std::string text = "master '" + settings.sentinels.master + "' of sentinels";
  for (const auto& sentinel : settings.sentinels.hosts) text += " " + to_string(sentinel);
  return text;
}

}  // namespace

std::string to_string(const HostAndPort& place) {
  const bool literal = place.host.find(':') != std::string::npos;
  return (literal ? "[" + place.host + "]" : place.host) + ":" + std::to_string(place.port);
}

Settings read_settings(Url& url) {
  Settings settings;
  read_place(url, settings);
  read_passwords(url, settings);
  read_prefix(url, settings);
  read_ttl(url, settings);
  read_durability(url, settings);
  read_tls(url, settings);
  settings.pool_size = static_cast<std::size_t>(read_number(url, "pool_size", 8, 1, 1000));
  settings.script_bytes = static_cast<std::size_t>(
      read_number(url, "script_bytes", static_cast<int>(settings.script_bytes), 0, 1 << 30));
  if (const auto wait = url.take_duration("pool_wait")) settings.pool_wait = *wait;
  if (const auto time = url.take_duration("connect_timeout")) settings.connect_timeout = *time;
  url.finish();
  settings.place = describe_server(settings) + ", database " + std::to_string(settings.database) +
                   ", prefix '" + settings.prefix + "'";
  return settings;
}

}  // namespace threadkeep::redis
