// SPDX-License-Identifier: Apache-2.0
#include "layers/tuple_codec.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

namespace threadkeep {

namespace {

// A form byte, the checksum, and parts: each its size and so many bytes. Numbers are 4 bytes, the
// checksum 8, least significant first.
constexpr char form = 1;
constexpr std::size_t start = 1 + sizeof(std::uint64_t);

std::uint64_t word_at(const char* bytes, std::size_t size = sizeof(std::uint64_t)) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  return word;
}

// Four lanes of 8 bytes, so that a processor works on all at once: values are megabytes, and are
// summed on every read. Against damage, not against forgery.
std::uint64_t checksum(std::string_view bytes) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15u;
  constexpr std::size_t step = sizeof(std::uint64_t);
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  const auto mix = [](std::uint64_t& lane, std::uint64_t word) {
    lane = (lane ^ word) * factor;
    lane ^= lane >> 29;
  };
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= lanes.size() * step; left -= lanes.size() * step) {
    for (auto& lane : lanes) {
      mix(lane, word_at(at));
      at += step;
    }
  }
  for (; left >= step; left -= step, at += step) mix(lanes[0], word_at(at));
  mix(lanes[1], word_at(at, left));
  mix(lanes[2], bytes.size());
  std::uint64_t sum = 0;
  for (const auto lane : lanes) mix(sum, lane);
  return sum;
}

class Writer {
 public:
  explicit Writer(std::size_t size) { text_.reserve(size); }

  void number(std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) text_ += static_cast<char>(value >> shift);
  }
  void part(std::string_view bytes) {
    number(static_cast<std::uint32_t>(bytes.size()));
    text_ += bytes;
  }
  void parts(std::initializer_list<std::string_view> all) {
    for (const auto bytes : all) part(bytes);
  }
  void skip(std::size_t size) { text_.append(size, '\0'); }
  std::string finish() {
    const auto sum = checksum(std::string_view(text_).substr(start));
    text_[0] = form;
    std::memcpy(text_.data() + 1, &sum, sizeof sum);
    return std::move(text_);
  }

 private:
  std::string text_;
};

/// Takes parts from a value. After the first that is not there all are empty, and complete() says
/// so.
class Reader {
 public:
  explicit Reader(const Bytes& value)
      : owner_(std::make_shared<const Bytes>(value)), left_(value.view().substr(start)) {}

  std::uint32_t number() {
    const auto bytes = take(sizeof(std::uint32_t));
    std::uint32_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  }
  // Of things that take at least a byte each, so that a damaged number reserves no memory.
  std::size_t count() {
    const std::size_t value = number();
    if (value > left_.size()) broken_ = true;
    return broken_ ? 0 : value;
  }
  std::string text() { return std::string(take(number())); }
  Bytes bytes() { return Bytes::share(owner_, take(number())); }
  bool complete() const { return !broken_ && left_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (broken_ || size > left_.size()) {
      broken_ = true;
      return {};
    }
    const auto bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }

  std::shared_ptr<const Bytes> owner_;
  std::string_view left_;
  bool broken_ = false;
};

// No less than the value takes.
std::size_t size_of(const VersionedTuple& entry) {
  const CheckpointTuple& tuple = entry.tuple;
  std::size_t size =
      256 + entry.version.size() + tuple.document.size() + tuple.metadata.size() + 4 * max_id_bytes;
  for (const Blob& blob : tuple.values) {
    size += 16 + blob.channel.size() + blob.version.size() + blob.type.size() + blob.data.size();
  }
  for (const PendingWrite& write : tuple.writes) {
    size += 24 + write.task_id.size() + write.channel.size() + write.task_path.size() +
            write.type.size() + write.data.size();
  }
  return size;
}

Blob read_blob(Reader& reader) {
  Blob blob;
  blob.channel = reader.text();
  blob.version = reader.text();
  blob.type = reader.text();
  blob.data = reader.bytes();
  return blob;
}

PendingWrite read_write(Reader& reader) {
  PendingWrite write;
  write.task_id = reader.text();
  write.idx = static_cast<std::int32_t>(reader.number());
  write.channel = reader.text();
  write.task_path = reader.text();
  write.type = reader.text();
  write.data = reader.bytes();
  return write;
}

}  // namespace

Bytes encode_tuple(const VersionedTuple& entry) {
  const CheckpointTuple& tuple = entry.tuple;
  Writer writer(size_of(entry));
  writer.skip(start);
  writer.parts({entry.version, tuple.thread_id, tuple.checkpoint_ns, tuple.checkpoint_id});
  writer.number(tuple.parent_checkpoint_id ? 1 : 0);
  writer.parts({tuple.parent_checkpoint_id.value_or(""), tuple.document, tuple.metadata});
  writer.number(static_cast<std::uint32_t>(tuple.values.size()));
  for (const Blob& blob : tuple.values) {
    writer.parts({blob.channel, blob.version, blob.type, blob.data.view()});
  }
  writer.number(static_cast<std::uint32_t>(tuple.writes.size()));
  for (const PendingWrite& write : tuple.writes) {
    writer.part(write.task_id);
    writer.number(static_cast<std::uint32_t>(write.idx));
    writer.parts({write.channel, write.task_path, write.type, write.data.view()});
  }
  return Bytes(writer.finish());
}

std::optional<VersionedTuple> decode_tuple(const Bytes& value) {
  const auto view = value.view();
  if (view.size() < start || view.front() != form) return {};
  if (word_at(view.data() + 1) != checksum(view.substr(start))) return {};
  Reader reader(value);
  VersionedTuple entry;
  CheckpointTuple& tuple = entry.tuple;
  for (auto* part :
       {&entry.version, &tuple.thread_id, &tuple.checkpoint_ns, &tuple.checkpoint_id}) {
    *part = reader.text();
  }
  const bool has_parent = reader.number() != 0;
  std::string parent = reader.text();
  if (has_parent) tuple.parent_checkpoint_id = std::move(parent);
  tuple.document = reader.text();
  tuple.metadata = reader.text();
  const std::size_t values = reader.count();
  tuple.values.reserve(values);
  for (std::size_t i = 0; i < values; ++i) tuple.values.push_back(read_blob(reader));
  const std::size_t writes = reader.count();
  tuple.writes.reserve(writes);
  for (std::size_t i = 0; i < writes; ++i) tuple.writes.push_back(read_write(reader));
  if (!reader.complete()) return {};
  return entry;
}

}  // namespace threadkeep
