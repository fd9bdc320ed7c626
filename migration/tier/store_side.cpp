// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/store_side.hpp"

#include <string_view>
#include <threadkeep/registry.hpp>
#include <threadkeep/url.hpp>

namespace threadkeep::migration {

namespace {

// A place that can be reached and holds nothing of ours: what backends say of it.
bool says_there_is_none(const Error& error) {
  const std::string_view message = error.message();
  if (error.code() == Code::unavailable) return message.starts_with("there is no store");
  return error.code() == Code::unsupported &&
         message.find("holds a database of another program") != std::string_view::npos;
}

std::shared_ptr<Store> open_store(const std::string& url, FirstUse first_use) {
  Environment environment = Environment::system();
  environment.first_use = first_use;
  return std::make_shared<Store>(Registry::builtin().open_for_tools(url, environment));
}

}  // namespace

std::shared_ptr<Store> existing_store(const std::string& url, const Call& call) {
  try {
    auto store = open_store(url, FirstUse::refuses);
    ThreadList one;
    one.limit = 1;
    store->threads(one, call);  // a ping would not look for the tables
    return store;
  } catch (const Error& error) {
    if (says_there_is_none(error)) return nullptr;
    throw;
  }
}

std::shared_ptr<Store> store_at(const std::string& url) {
  return open_store(url, FirstUse::creates);
}

std::unique_ptr<tables::Database> tables_at(const std::string& url, const Call& call) {
  const std::string scheme = Url::parse(url).scheme();
  if (scheme != "sqlite" && scheme != "postgres" && scheme != "postgresql") return nullptr;
  return tables::open_database(url, call);
}

tables::DatabaseInfo info_of_store(const std::string& url) {
  const Url parsed = Url::parse(url);
  tables::DatabaseInfo info;
  info.engine = parsed.scheme();
  info.place = parsed.redacted();
  info.identity = info.place;
  return info;
}

}  // namespace threadkeep::migration
