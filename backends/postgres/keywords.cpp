// SPDX-License-Identifier: Apache-2.0
#include "keywords.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <new>
#include <optional>

#include "fork_locks.hpp"

namespace threadkeep::postgres {

namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

// Keywords whose values are checked here, so that all that is wrong is said at once.
struct Choice {
  std::string_view name;
  std::vector<std::string> values;
};

const std::array<Choice, 5>& choices() {
  static const std::array<Choice, 5> table = {{
      {"sslmode", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
      {"gssencmode", {"disable", "prefer", "require"}},
      {"channel_binding", {"disable", "prefer", "require"}},
      {"target_session_attrs",
       {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}},
      {"load_balance_hosts", {"disable", "random"}},
  }};
  return table;
}

// What would make every statement fail or mean something else.
bool is_ours(std::string_view name) noexcept {
  return name == "client_encoding" || name == "replication" || name == "fallback_application_name";
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

// libpq's own view of what stands before the parameters, or empty with what is wrong.
Options parse_address(const std::string& address, std::string& wrong) {
  char* message = nullptr;
  Options options(PQconninfoParse(address.c_str(), &message));
  const std::unique_ptr<char, void (*)(void*)> owner(message, PQfreemem);
  if (!options) wrong = message ? message : "out of memory";
  while (wrong.ends_with('\n')) wrong.pop_back();
  return options;
}

// The same address without its password, so that libpq's complaint cannot show it.
std::string without_password(const std::string& authority) {
  const auto at = authority.rfind('@');
  const auto colon = authority.find(':');
  if (at == std::string::npos || colon > at) return authority;
  return authority.substr(0, colon) + authority.substr(at);
}

void report_address(Url& url, const std::string& path) {
  std::string wrong;
  if (parse_address("postgresql://" + without_password(*url.authority()) + path, wrong)) {
    url.problem("the password must be percent-encoded");
  } else {
    url.problem(wrong);
  }
}

void take_address(Url& url, Keywords& keywords) {
  if (!url.authority()) {
    url.problem("it must begin with " + url.scheme() + "://");
    return;
  }
  const std::string& authority = *url.authority();
  if (std::count(authority.begin(), authority.end(), '@') > 1) {
    url.problem("a '@' in a user or password must be written %40");
    return;
  }
  const std::string& decoded = url.path();
  const std::string path = decoded.size() > 1 ? "/" + percent_encoded(decoded.substr(1)) : "";
  std::string wrong;
  const Options options = parse_address("postgresql://" + authority + path, wrong);
  if (!options) return report_address(url, path);
  for (const auto* option = options.get(); option->keyword; ++option) {
    if (option->val && *option->val) set_value(keywords, option->keyword, option->val);
  }
}

std::optional<std::string> take_checked(Url& url, std::string_view name) {
  for (const Choice& choice : choices()) {
    if (choice.name == name) return url.take_choice(name, choice.values);
  }
  return url.take(name);
}

Options defaults_of_libpq() {
  const NoForkNow now;
  return Options(PQconndefaults());
}

void take_parameters(Url& url, Keywords& keywords) {
  const Options known = defaults_of_libpq();
  if (!known) throw std::bad_alloc();
  for (const auto* option = known.get(); option->keyword; ++option) {
    if (is_ours(option->keyword)) continue;
    if (const auto value = take_checked(url, option->keyword)) {
      set_value(keywords, option->keyword, *value);
    }
  }
  // Libraries before 16 do not know it; the hosts are tried here in any case.
  if (const auto value = take_checked(url, "load_balance_hosts")) {
    set_value(keywords, "load_balance_hosts", *value);
  }
  // As libpq reads URLs that were made for JDBC.
  if (url.take_choice("ssl", {"true"})) set_value(keywords, "sslmode", "require");
}

void check_ports(Url& url, const Keywords& keywords) {
  for (const std::string& port : split_list(value_of(keywords, "port"))) {
    if (port.empty()) continue;
    int number = 0;
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool whole = failed == std::errc() && end == port.data() + port.size();
    if (!whole || number < 1 || number > 65535) {
      url.problem("a port must be a number from 1 to 65535");
    }
  }
}

// PQconndefaults with a service that the environment does not name. libpq tells what a service says
// only of a connection; an sslmode that it refuses keeps this one from being made.
Options with_service(const std::string& service) {
  const NoForkNow now;
  const std::array<const char*, 3> names = {"service", "sslmode", nullptr};
  const std::array<const char*, 3> values = {service.c_str(), "none", nullptr};
  const std::unique_ptr<PGconn, void (*)(PGconn*)> refused(
      PQconnectStartParams(names.data(), values.data(), 0), PQfinish);
  Options options(PQconninfo(refused.get()));
  for (auto* option = options.get(); option && option->keyword; ++option) {
    if (std::string_view(option->keyword) == "sslmode" && option->val) *option->val = '\0';
  }
  return options;
}

// As many ports as hosts, or one for all; as many addresses as hosts.
void check_lists(Url& url, const Keywords& keywords) {
  const auto count = [&](std::string_view name) {
    const auto value = value_of(keywords, name);
    return value.empty() ? 0 : split_list(value).size();
  };
  const auto hosts = count("host");
  const auto addresses = count("hostaddr");
  if (hosts != 0 && addresses != 0 && hosts != addresses) {
    url.problem("'host' and 'hostaddr' must name equally many");
  }
  const auto most = std::max({hosts, addresses, std::size_t{1}});
  if (const auto ports = count("port"); ports > 1 && ports != most) {
    url.problem("there must be one port, or one for each host");
  }
}

void check_encoding(Url& url) {
  const auto encoding = url.take("client_encoding");
  if (encoding && *encoding != "UTF8" && *encoding != "utf8" && *encoding != "UTF-8" &&
      *encoding != "utf-8") {
    url.problem("client_encoding is always UTF8");
  }
}

}  // namespace

std::string value_of(const Keywords& keywords, std::string_view name) {
  for (const auto& [keyword, value] : keywords) {
    if (keyword == name) return value;
  }
  return {};
}

Keywords with_defaults(const Keywords& keywords) {
  Keywords all = keywords;
  const auto service = value_of(keywords, "service");
  const Options defaults = service.empty() ? defaults_of_libpq() : with_service(service);
  if (!defaults) throw std::bad_alloc();
  for (const auto* option = defaults.get(); option->keyword; ++option) {
    if (!option->val || !*option->val || !value_of(keywords, option->keyword).empty()) continue;
    set_value(all, option->keyword, option->val);
  }
  return all;
}

void set_value(Keywords& keywords, std::string_view name, std::string_view value) {
  for (auto& [keyword, present] : keywords) {
    if (keyword != name) continue;
    present = value;
    return;
  }
  keywords.emplace_back(name, value);
}

void remove_value(Keywords& keywords, std::string_view name) {
  std::erase_if(keywords, [&](const auto& pair) { return pair.first == name; });
}

Keywords take_keywords(Url& url) {
  Keywords keywords;
  take_address(url, keywords);
  take_parameters(url, keywords);
  check_encoding(url);
  check_ports(url, keywords);
  check_lists(url, keywords);
  return keywords;
}

std::string place_of(const Keywords& keywords) {
  if (const auto service = value_of(keywords, "service"); !service.empty()) {
    return "postgresql:?service=" + service;
  }
  const auto all = with_defaults(keywords);
  const auto first_of = [&](std::string_view name, std::string_view other) {
    const auto value = value_of(all, name);
    return value.empty() ? value_of(all, other) : value;
  };
  return "postgresql://" + value_of(all, "user") + "@" + first_of("host", "hostaddr") + ":" +
         value_of(all, "port") + "/" + first_of("dbname", "user");
}

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const auto comma = std::min(list.find(','), list.size());
    parts.emplace_back(list.substr(0, comma));
    if (comma == list.size()) return parts;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace threadkeep::postgres
