// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <threadkeep/store.hpp>
#include <threadkeep/table_store.hpp>

namespace threadkeep::migration {

/// The store of threads at a place, which may be beside the tables of an application; null where
/// there is none. Creates nothing. Throws Error.
std::shared_ptr<Store> existing_store(const std::string& url, const Call& call);

/// The same, made where there is none.
std::shared_ptr<Store> store_at(const std::string& url, const Call& call);

/// The tables at a place; null where its kind of store has none (Redis, memory).
std::unique_ptr<tables::Database> tables_at(const std::string& url, const Call& call);

/// The lock of a store without tables, as TransferHost::lock; must not outlive the store.
std::unique_ptr<tables::MigrationLock> lock_store(Store& store, std::chrono::milliseconds patience,
                                                  const tables::OnWaiting& waiting,
                                                  const Call& call);

/// What is known of a place without tables.
tables::DatabaseInfo info_of_store(const std::string& url);

}  // namespace threadkeep::migration
