// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::sqlite {

/// What a copy needs of the file.
class StoreTransfer final : public TransferHost {
 public:
  /// Both must outlive this.
  StoreTransfer(Database& database, const Environment& environment)
      : database_(database), environment_(environment) {}

  std::vector<ThreadNotes> notes(const std::vector<std::string>& thread_ids,
                                 const Call& call) override;
  void change(const std::vector<ThreadNotesChange>& changes, const Call& call) override;
  Page<std::string> unlisted(const std::string& cursor, std::size_t limit,
                             const Call& call) override;
  Page<std::string> scopes(const std::string& cursor, std::size_t limit, const Call& call) override;

 private:
  Database& database_;
  const Environment& environment_;
};

}  // namespace threadkeep::sqlite
