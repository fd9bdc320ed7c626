// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"

#include <cstdlib>
#include <set>
#include <threadkeep/threadkeep.hpp>

#include "config/documents.hpp"
#include "config/policies.hpp"
#include "config/reading.hpp"
#include "config/text_file.hpp"

namespace threadkeep::ops {

namespace {

void take_timeout(Reading& reading, const Reading::Members& members,
                  std::optional<std::chrono::milliseconds>& timeout) {
  const auto found = members.find("timeout");
  if (found != members.end()) timeout = reading.duration(found->second, "timeout");
}

// Parameters that every URL may have, and those of `tiered:` that are URLs themselves: beside the
// url they need no escapes.
const std::vector<std::string>& url_keys() {
  static const std::vector<std::string> keys = {
      "try_timeout",      "retry",          "breaker", "fallback", "fallback_new",
      "fallback_journal", "fallback_cache", "hot",     "durable"};
  return keys;
}

std::vector<std::string> with_url_keys(std::vector<std::string> keys) {
  keys.insert(keys.end(), url_keys().begin(), url_keys().end());
  return keys;
}

// All that opening it would refuse is told together with what is wrong with the file. It does not
// touch the store.
void check_url(Reading& reading, const YAML::Mark& place, const std::string& url) {
  try {
    Registry::builtin().open_for_tools(url);
  } catch (const Error& error) {
    if (error.code() == Code::invalid_argument) reading.problem(place, error.message());
  }
}

// What stands beside the url becomes a part of it.
std::string take_url(Reading& reading, const Reading::Members& members) {
  std::string url = reading.url(members.at("url")).value_or("");
  for (const std::string& key : url_keys()) {
    const auto found = members.find(key);
    const auto value = found == members.end() ? std::nullopt : reading.text(found->second, key);
    if (!value || url.empty()) continue;
    url += url.find('?') == std::string::npos ? '?' : '&';
    url.append(key).append("=").append(percent_encode(*value));
  }
  if (!url.empty()) check_url(reading, members.at("url").place(), url);
  return url;
}

// `timeout` is that of all stores.
StoreConfig take_store(Reading& reading, const std::string& name, const Reading::Member& described,
                       std::optional<std::chrono::milliseconds> timeout) {
  StoreConfig store{.url = {}, .timeout = timeout};
  const auto members =
      reading.members(described, "store " + name, with_url_keys({"url", "timeout"}));
  take_timeout(reading, members, store.timeout);
  if (members.contains("url")) {
    store.url = take_url(reading, members);
  } else if (described.value.IsMap()) {
    reading.problem(described.place(), "store " + name + " needs a url");
  }
  return store;
}

MigrateConfig take_migrate(Reading& reading, const Reading::Member& described) {
  MigrateConfig migrate;
  const auto members = reading.members(described, "migrate", {"order"});
  const auto order = members.find("order");
  if (order == members.end()) return migrate;
  if (!order->second.value.IsSequence()) {
    reading.problem(order->second.place(), "order must be a list of tables");
    return migrate;
  }
  std::set<std::string> names;
  for (const auto& item : order->second.value) {
    auto name = reading.text({item.Mark(), item}, "a table of order");
    if (!name) continue;
    if (!names.insert(*name).second) reading.problem(item.Mark(), "this table is named twice");
    migrate.order.push_back(std::move(*name));
  }
  return migrate;
}

void refuse_parameters_without_url(Reading& reading, const Reading::Members& members) {
  for (const std::string& key : url_keys()) {
    const auto found = members.find(key);
    if (found != members.end()) {
      reading.problem(found->second.key, key + " stands beside the url of a store");
    }
  }
}

Config take_config(Reading& reading, const YAML::Node& root) {
  Config config;
  const auto members =
      reading.members({root.Mark(), root}, "the file",
                      with_url_keys({"url", "timeout", "stores", "retention", "migrate"}));
  std::optional<std::chrono::milliseconds> timeout;
  take_timeout(reading, members, timeout);
  if (members.contains("url")) {
    config.store = {take_url(reading, members), timeout};
  } else {
    refuse_parameters_without_url(reading, members);
  }
  if (const auto stores = members.find("stores"); stores != members.end()) {
    for (const auto& [name, member] : reading.members(stores->second, "stores", {})) {
      config.stores[name] = take_store(reading, name, member, timeout);
    }
  }
  if (const auto retention = members.find("retention"); retention != members.end()) {
    config.retention = take_retention(reading, retention->second);
  }
  if (const auto migrate = members.find("migrate"); migrate != members.end()) {
    config.migrate = take_migrate(reading, migrate->second);
  }
  return config;
}

// yaml-cpp ends some messages with what it found.
std::string what_is_wrong(const YAML::Exception& error) {
  return "this is no YAML: " + error.msg.substr(0, error.msg.find(':'));
}

}  // namespace

Variables process_variables() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Config parse_config(std::string_view text, const std::string& name, const Variables& variables) {
  check_text(std::string(text), name);
  Reading reading(name, variables);
  Config config;
  try {
    if (text.size() > most_text_bytes) throw YAML::Exception(YAML::Mark::null_mark(), "too long");
    const YAML::Node root = load_only_document(std::string(text));
    // A file of comments is an empty one.
    if (!root.IsNull()) config = take_config(reading, root);
  } catch (const YAML::Exception& error) {
    reading.problem(error.mark, what_is_wrong(error));
  }
  reading.finish();
  return config;
}

Config read_config(const std::filesystem::path& file, const Variables& variables) {
  const std::string text = read_text_file(file.string(), "the configuration");
  return parse_config(text, file.string(), variables);
}

}  // namespace threadkeep::ops
