// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "memory/tables.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::memory {

struct RetentionNotes;

/// What a copy needs of the tables of a store, under its lock.
class StoreTransfer final : public TransferHost {
 public:
  /// All must outlive this.
  StoreTransfer(Tables& tables, RetentionNotes& notes, TableMutex& mutex)
      : tables_(tables), notes_(notes), mutex_(mutex) {}

  std::vector<ThreadNotes> notes(const std::vector<std::string>& thread_ids,
                                 const Call& call) override;
  void change(const std::vector<ThreadNotesChange>& changes, const Call& call) override;
  Page<std::string> unlisted(const std::string& cursor, std::size_t limit,
                             const Call& call) override;
  Page<std::string> scopes(const std::string& cursor, std::size_t limit, const Call& call) override;

 private:
  Tables& tables_;
  RetentionNotes& notes_;
  TableMutex& mutex_;
};

}  // namespace threadkeep::memory
