// SPDX-License-Identifier: Apache-2.0
#include "fingerprint.hpp"

#include <functional>
#include <string_view>

namespace threadkeep::retention {

namespace {

class Fingerprint {
 public:
  void add(std::string_view text) { add(std::hash<std::string_view>()(text)); }
  void add(std::uint64_t number) {
    // The finaliser of MurmurHash3, so that the order of what is added counts.
    value_ = (value_ ^ number) * 0xff51afd7ed558ccd + 1;
    value_ = (value_ ^ (value_ >> 33)) * 0xc4ceb9fe1a85ec53;
    value_ ^= value_ >> 33;
  }
  void add(const std::optional<std::string>& text) {
    add(text ? 1U : 0U);
    if (text) add(std::string_view(*text));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace

// Messages, state and metadata count in the revision. Values never change, and of the writes only
// special ones.
std::uint64_t fingerprint(const ThreadRows& rows) {
  if (!rows.info) return 0;
  Fingerprint print;
  for (const auto number : {rows.info->created_at, rows.info->updated_at, rows.info->revision}) {
    print.add(static_cast<std::uint64_t>(number));
  }
  for (const CheckpointRow& row : rows.checkpoints) {
    for (const auto* text : {&row.checkpoint_ns, &row.checkpoint_id, &row.document, &row.metadata})
      print.add(std::string_view(*text));
    print.add(row.parent_checkpoint_id);
  }
  print.add(rows.writes.size());
  for (const WriteRow& row : rows.writes) {
    for (const auto* text : {&row.checkpoint_ns, &row.checkpoint_id, &row.channel, &row.special})
      print.add(std::string_view(*text));
    print.add(row.bytes);
  }
  print.add(rows.blobs.size());
  for (const BlobRow& row : rows.blobs) {
    for (const auto* text : {&row.checkpoint_ns, &row.channel, &row.version})
      print.add(std::string_view(*text));
    print.add(row.bytes);
  }
  return print.value();
}

}  // namespace threadkeep::retention
