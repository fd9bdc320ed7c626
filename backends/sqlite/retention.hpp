// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"
#include "sqlite/transfer.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/retention_host.hpp"

namespace threadkeep::sqlite {

/// Retention on the file. What it writes down is in tables of their own, which install() makes.
class RetentionHost final : public retention::Host {
 public:
  /// Both must outlive this.
  RetentionHost(Database& database, const Environment& environment)
      : database_(database), environment_(environment), transfer_(database, environment_) {}

  void read(const Work& work, const Call& call) override;
  void write(const Work& work, const Call& call) override;
  /// A few megabytes of free pages. False too where the file was made by another program and
  /// cannot shrink without VACUUM.
  bool give_back(const Call& call) override;
  TransferHost* transfer() override { return &transfer_; }

 private:
  Database& database_;
  const Environment& environment_;
  StoreTransfer transfer_;
};

}  // namespace threadkeep::sqlite
