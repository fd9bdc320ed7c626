// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/mutation.hpp"

#include "overloaded.hpp"

namespace threadkeep {

namespace {

std::size_t size_of(const std::vector<StateChange>& changes) {
  std::size_t bytes = 0;
  for (const StateChange& change : changes) bytes += change.value.size();
  return bytes;
}

}  // namespace

bool is_session(const Mutation& mutation) noexcept {
  return std::visit(Overloaded{
                        [](const AppendMessages&) { return true; },
                        [](const UpdateMessage&) { return true; },
                        [](const RemoveMessages&) { return true; },
                        [](const PopMessages&) { return true; },
                        [](const ClearMessages&) { return true; },
                        [](const ChangeState&) { return true; },
                        [](const auto&) { return false; },
                    },
                    mutation);
}

std::string_view operation_name(const Mutation& mutation) noexcept {
  return std::visit(Overloaded{
                        [](const PutCheckpoint&) { return "put"; },
                        [](const PutWrites&) { return "put_writes"; },
                        [](const PutThread&) { return "put_thread"; },
                        [](const DeleteThread&) { return "delete_thread"; },
                        [](const DeleteRuns&) { return "delete_runs"; },
                        [](const CopyThread&) { return "copy_thread"; },
                        [](const Prune&) { return "prune"; },
                        [](const AppendMessages&) { return "append"; },
                        [](const UpdateMessage&) { return "update_message"; },
                        [](const RemoveMessages&) { return "remove_messages"; },
                        [](const PopMessages&) { return "pop_messages"; },
                        [](const ClearMessages&) { return "clear_messages"; },
                        [](const ChangeState&) { return "change_state"; },
                    },
                    mutation);
}

std::string_view lane(const Mutation& mutation) noexcept {
  return std::visit(Overloaded{
                        [](const DeleteRuns&) { return std::string_view(); },
                        [](const CopyThread&) { return std::string_view(); },
                        [](const ChangeState& m) { return std::string_view(m.scope.lane()); },
                        [](const auto& m) { return std::string_view(m.thread_id); },
                    },
                    mutation);
}

std::size_t weight(const Mutation& mutation) noexcept {
  return std::visit(Overloaded{
                        [](const PutCheckpoint& m) {
                          std::size_t bytes = m.document.size() + m.metadata.size();
                          for (const Blob& blob : m.blobs) bytes += blob.data.size();
                          return bytes;
                        },
                        [](const PutWrites& m) {
                          std::size_t bytes = 0;
                          for (const PendingWrite& write : m.writes) bytes += write.data.size();
                          return bytes;
                        },
                        [](const PutThread& m) { return m.metadata.size(); },
                        [](const AppendMessages& m) {
                          std::size_t bytes = size_of(m.state);
                          for (const NewMessage& message : m.messages) {
                            bytes += message.content.size() + message.metadata.size();
                          }
                          return bytes;
                        },
                        [](const UpdateMessage& m) {
                          return (m.content ? m.content->size() : 0) +
                                 (m.metadata ? m.metadata->size() : 0);
                        },
                        [](const ChangeState& m) { return size_of(m.changes); },
                        [](const auto&) { return std::size_t{0}; },
                    },
                    mutation);
}

}  // namespace threadkeep
