// SPDX-License-Identifier: Apache-2.0
#include "table_transactions.hpp"

namespace threadkeep::sqlite {

void TableTransactions::begin_group(const Call& call) {
  const Use use(connection_, call);
  begin();
  in_group_ = true;
}

void TableTransactions::begin() {
  connection_.begin_write();
  lock_->writing = true;
  undone_on_failure([&] {
    connection_.execute("PRAGMA defer_foreign_keys = ON");
    lock_->confirm(connection_);
  });
}

void TableTransactions::roll_back() noexcept {
  connection_.rollback();
  in_group_ = false;
  lock_->writing = false;
}

}  // namespace threadkeep::sqlite
