// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "connection.hpp"
#include "threadkeep/mutation.hpp"

/// \file
/// One function for each mutation, to be called inside a write transaction. What they do is said in
/// threadkeep/mutation.hpp. On Error the caller undoes what was done so far.

namespace threadkeep::sqlite {

// puts.cpp
Written put(Connection& connection, const PutCheckpoint& put, std::int64_t now);
Written put_writes(Connection& connection, const PutWrites& put, std::int64_t now);
Written put_thread(Connection& connection, const PutThread& put, std::int64_t now);

// deletions.cpp
Written delete_thread(Connection& connection, const DeleteThread& deletion, std::int64_t now);
Written delete_runs(Connection& connection, const DeleteRuns& deletion, std::int64_t now);
Written prune(Connection& connection, const Prune& prune, std::int64_t now);
/// For retention: these of one namespace, as prune takes them.
void erase_checkpoints(Connection& connection, const std::string& thread_id,
                       const std::string& checkpoint_ns, const std::vector<std::string>& ids,
                       std::int64_t now);

// copy.cpp
Written copy_thread(Connection& connection, const CopyThread& copy, std::int64_t now);

// session_writes.cpp
Written append(Connection& connection, const AppendMessages& append, std::int64_t now);
Written update_message(Connection& connection, const UpdateMessage& update, std::int64_t now);
Written remove_messages(Connection& connection, const RemoveMessages& removal, std::int64_t now);
Written pop_messages(Connection& connection, const PopMessages& pop, std::int64_t now);
Written clear_messages(Connection& connection, const ClearMessages& clear, std::int64_t now);
Written change_state(Connection& connection, const ChangeState& change, std::int64_t now);

}  // namespace threadkeep::sqlite
