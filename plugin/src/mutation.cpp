// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/mutation.hpp"

#include "overloaded.hpp"

namespace threadkeep {

std::string_view operation_name(const Mutation& mutation) noexcept {
  return std::visit(Overloaded{
                        [](const PutCheckpoint&) { return "put"; },
                        [](const PutWrites&) { return "put_writes"; },
                        [](const PutThread&) { return "put_thread"; },
                        [](const DeleteThread&) { return "delete_thread"; },
                        [](const DeleteRuns&) { return "delete_runs"; },
                        [](const CopyThread&) { return "copy_thread"; },
                        [](const Prune&) { return "prune"; },
                    },
                    mutation);
}

std::string_view lane(const Mutation& mutation) noexcept {
  return std::visit(Overloaded{
                        [](const DeleteRuns&) { return std::string_view(); },
                        [](const CopyThread&) { return std::string_view(); },
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
                        [](const auto&) { return std::size_t{0}; },
                    },
                    mutation);
}

}  // namespace threadkeep
