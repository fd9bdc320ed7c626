// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/store_side.hpp"

#include <threadkeep/absent_store.hpp>
#include <threadkeep/registry.hpp>
#include <threadkeep/retention_host.hpp>
#include <threadkeep/transfer_host.hpp>
#include <threadkeep/url.hpp>

#include "migration/tier/archive_source.hpp"

namespace threadkeep::migration {

namespace {

std::shared_ptr<Store> open_store(const std::string& url, FirstUse first_use) {
  Environment environment = Environment::system();
  environment.first_use = first_use;
  return std::make_shared<Store>(Registry::builtin().open_for_tools(url, environment));
}

// A ping would not look for the tables, nor make them.
void look_into(Store& store, const Call& call) {
  ThreadList one;
  one.limit = 1;
  store.threads(one, call);
}

}  // namespace

std::shared_ptr<Store> existing_store(const std::string& url, const Call& call) {
  try {
    auto store = open_store(url, FirstUse::refuses);
    look_into(*store, call);
    return store;
  } catch (const Error& error) {
    if (error.native() == absent_store) return nullptr;
    throw;
  }
}

std::shared_ptr<Store> store_at(const std::string& url, const Call& call) {
  auto store = open_store(url, FirstUse::creates);
  look_into(*store, call);
  return store;
}

std::unique_ptr<tables::MigrationLock> lock_store(Store& store, std::chrono::milliseconds patience,
                                                  const tables::OnWaiting& waiting,
                                                  const Call& call) {
  retention::Host* host = store.retention();
  TransferHost* transfer = host == nullptr ? nullptr : host->transfer();
  return transfer == nullptr ? nullptr : transfer->lock(patience, waiting, call);
}

std::unique_ptr<tables::Database> tables_at(const std::string& url, const Call& call) {
  if (archive_of(url)) return nullptr;
  const std::string scheme = Url::parse(url).scheme();
  if (scheme != "sqlite" && scheme != "postgres" && scheme != "postgresql") return nullptr;
  return tables::open_database(url, call);
}

tables::DatabaseInfo info_of_store(const std::string& url) {
  tables::DatabaseInfo info;
  if (const auto file = archive_of(url)) {
    info.engine = "archive";
    info.place = info.identity = *file;
    return info;
  }
  const Url parsed = Url::parse(url);
  info.engine = parsed.scheme();
  info.place = parsed.redacted();
  info.identity = info.place;
  return info;
}

}  // namespace threadkeep::migration
