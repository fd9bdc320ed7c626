// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::sqlite {

/// What a copy needs of the file.
class StoreTransfer final : public TransferHost {
 public:
  /// It must outlive this.
  explicit StoreTransfer(Database& database) : database_(database) {}

  std::vector<ThreadNotes> notes(const std::vector<std::string>& thread_ids,
                                 const Call& call) override;
  void change(const std::vector<ThreadNotesChange>& changes, const Call& call) override;
  Page<std::string> unlisted(const std::string& cursor, std::size_t limit,
                             const Call& call) override;
  Page<std::string> scopes(const std::string& cursor, std::size_t limit, const Call& call) override;

 private:
  Database& database_;
};

}  // namespace threadkeep::sqlite
