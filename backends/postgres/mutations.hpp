// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "connection.hpp"
#include "locks.hpp"
#include "pipeline.hpp"
#include "session_statements.hpp"
#include "threadkeep/mutation.hpp"
#include "write_statements.hpp"

/// \file
/// Every mutation as statements. What they do and count is what memory/mutations.cpp does; locks
/// are taken before, by the one who puts the transaction together.

namespace threadkeep::postgres {

/// What the mutations of one transaction have in common.
struct Writing {
  const WriteStatements& statements;
  const SessionStatements& session;
  std::string_view schema;
  std::int64_t now;
};

/// Makes the outcome of a mutation of the results of its statements. Throws Error(conflict) when
/// the statements found one; then they have changed nothing.
using Reading = std::function<Written(std::span<const Result>)>;

// Mutations that are some statements of one round trip. The mutation must outlive the pipeline and
// the function returned.

// puts.cpp
Reading add_put(Pipeline& pipeline, const Writing& writing, const PutCheckpoint& put);
Reading add_put_writes(Pipeline& pipeline, const Writing& writing, const PutWrites& put);
Reading add_put_thread(Pipeline& pipeline, const Writing& writing, const PutThread& put);
/// True for a put that decides by what other writers of its thread change, or decides in several
/// statements, which only agree while nobody comes between them.
bool needs_thread_alone(const PutCheckpoint& put);
bool needs_thread_alone(const PutWrites& put);

// copy.cpp
Reading add_copy_thread(Pipeline& pipeline, const Writing& writing, const CopyThread& copy);

// deletions.cpp
Reading add_delete_thread(Pipeline& pipeline, const Writing& writing, const DeleteThread& deletion);

// session_writes.cpp
Reading add_append(Pipeline& pipeline, const Writing& writing, const AppendMessages& append);
Reading add_change_state(Pipeline& pipeline, const Writing& writing, const ChangeState& change);
Reading add_pop(Pipeline& pipeline, const Writing& writing, const PopMessages& pop);
Reading add_remove(Pipeline& pipeline, const Writing& writing, const RemoveMessages& removal);
Reading add_clear(Pipeline& pipeline, const Writing& writing, const ClearMessages& clear);
/// The same after session_compare.cpp: texts that are not the stored ones have other values.
/// `print` is the fingerprint of the append as it was given.
Reading add_append(Pipeline& pipeline, const Writing& writing, const AppendMessages& append,
                   std::uint64_t print, bool compared);
Reading add_change_state(Pipeline& pipeline, const Writing& writing, const ChangeState& change,
                         bool compared);
/// True where one of the changes cannot be told from texts and hashes.
bool needs_comparison(const std::vector<StateChange>& changes);

// Mutations that read first and are a transaction of several round trips. When one throws, its
// transaction is still open.

// deletions.cpp
/// Several such transactions where there are many threads; `written` grows with each.
void delete_runs(Connection& connection, const Writing& writing, const DeleteRuns& deletion,
                 Written& written, const Call& call);
Written prune(Connection& connection, const Writing& writing, const Prune& prune, const Call& call);

// session_compare.cpp
Written compare_append(Connection& connection, const Writing& writing, const AppendMessages& append,
                       const Call& call);
Written compare_state(Connection& connection, const Writing& writing, const ChangeState& change,
                      const Call& call);
Written update_message(Connection& connection, const Writing& writing, const UpdateMessage& update,
                       const Call& call);

}  // namespace threadkeep::postgres
