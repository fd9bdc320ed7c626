// SPDX-License-Identifier: Apache-2.0
#include "values.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace threadkeep::redis {

std::optional<Blob> to_blob(std::string_view channel, std::string_view version,
                            const Reply& value) {
  const auto [type, data] = decode_blob(value.view());
  if (type == empty_type) return {};
  return Blob{std::string(channel), std::string(version), std::string(type), value.bytes(data)};
}

PendingWrite to_write(std::string_view field, const Reply& value) {
  const auto parts = name_parts(field, 4);
  const auto [channel, type, task_path, data] = decode_write(value.view());
  PendingWrite write{std::string(parts[2]), 0,
                     std::string(channel),  std::string(task_path),
                     std::string(type),     value.bytes(data)};
  const auto end = parts[3].data() + parts[3].size();
  if (std::from_chars(parts[3].data(), end, write.idx).ptr != end) {
    throw Error(Code::corrupt, "the store holds a write that threadkeep did not write");
  }
  return write;
}

void sort_writes(std::vector<PendingWrite>& writes) {
  std::sort(writes.begin(), writes.end(), [](const PendingWrite& a, const PendingWrite& b) {
    return std::tie(a.task_path, a.task_id, a.idx) < std::tie(b.task_path, b.task_id, b.idx);
  });
}

}  // namespace threadkeep::redis
