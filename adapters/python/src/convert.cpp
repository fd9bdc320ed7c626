// SPDX-License-Identifier: Apache-2.0
#include "convert.hpp"

#include <map>
#include <utility>

#include "payload.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

[[noreturn]] void wrong_type(const char* field, const char* wanted, nb::handle value) {
  throw Error(Code::invalid_argument,
              std::string(field) + " must be " + wanted + ", not " + Py_TYPE(value.ptr())->tp_name);
}

std::int32_t to_index(nb::handle value) {
  std::int32_t index = 0;
  if (!nb::try_cast(value, index)) wrong_type("idx", "an int of 32 bits", value);
  return index;
}

// Another program may have written text that is no UTF-8, which nb::str would report as a defect.
nb::str text(std::string_view value) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), nullptr);
  if (decoded != nullptr) return nb::steal<nb::str>(decoded);
  if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) throw nb::python_error();
  PyErr_Clear();
  throw Error(Code::corrupt, "stored text is not valid UTF-8");
}
nb::bytes bytes(const Bytes& value) {
  return nb::bytes(value.data(), value.size());
}

// Checkpoints of a page share the buffers of values that they have in common; so do their bytes.
class SharedBytes {
 public:
  const nb::bytes& operator()(const Bytes& value) {
    auto [place, is_new] = known_.try_emplace({value.data(), value.size()});
    if (is_new) place->second = bytes(value);
    return place->second;
  }

 private:
  std::map<std::pair<const char*, std::size_t>, nb::bytes> known_;
};

nb::object optional_text(const std::optional<std::string>& value) {
  return value ? nb::object(text(*value)) : nb::none();
}

nb::object convert(const ChannelHistory& history);

nb::object convert(const Blob& blob, const nb::bytes& data) {
  return nb::make_tuple(text(blob.channel), text(blob.version), text(blob.type), data);
}

nb::object convert(const Blob& blob) {
  return convert(blob, bytes(blob.data));
}

nb::object convert(const PendingWrite& write) {
  return nb::make_tuple(text(write.task_id), write.idx, text(write.channel), text(write.task_path),
                        text(write.type), bytes(write.data));
}

nb::object convert(const ThreadInfo& thread) {
  return nb::make_tuple(text(thread.thread_id), thread.created_at, thread.updated_at,
                        thread.revision, text(thread.metadata));
}

nb::object convert(const Message& message) {
  return nb::make_tuple(text(message.stream), message.seq, text(message.id), text(message.role),
                        text(message.content), text(message.metadata), message.created_at,
                        message.version);
}

nb::object convert(const StateDocument& document) {
  return nb::make_tuple(text(document.key), text(document.value), document.version);
}

nb::object convert(const retention::Due& due) {
  return nb::make_tuple(text(due.policy), text(due.reason), due.threads, due.checkpoints,
                        due.writes, due.blobs, due.bytes);
}

nb::object convert(std::int64_t number) {
  return nb::int_(number);
}

template <class T>
nb::list convert(const std::vector<T>& items) {
  nb::list list;
  for (const T& item : items) list.append(convert(item));
  return list;
}

nb::object convert(const CheckpointTuple& tuple, nb::list values) {
  return nb::make_tuple(text(tuple.thread_id), text(tuple.checkpoint_ns), text(tuple.checkpoint_id),
                        optional_text(tuple.parent_checkpoint_id), text(tuple.document),
                        text(tuple.metadata), values, convert(tuple.writes));
}

nb::object convert(const CheckpointTuple& tuple) {
  return convert(tuple, convert(tuple.values));
}

nb::object convert(const ChannelHistory& history) {
  nb::object seed = history.seed ? convert(*history.seed) : nb::none();
  return nb::make_tuple(text(history.channel), seed, optional_text(history.inline_seed),
                        convert(history.writes));
}

nb::object convert(std::monostate) {
  return nb::none();
}
nb::object convert(const Written& written) {
  return nb::make_tuple(written.changed, written.kept, written.dropped, convert(written.messages),
                        convert(written.versions), written.revision);
}
nb::object convert(std::uint64_t number) {
  return nb::int_(number);
}
template <class T>
nb::object convert(const std::optional<T>& item) {
  return item ? convert(*item) : nb::none();
}
template <class T>
nb::object convert(const Page<T>& page) {
  nb::list items;
  for (const T& item : page.items) items.append(convert(item));
  return nb::make_tuple(items, text(page.next));
}
nb::object convert(const Page<CheckpointTuple>& page) {
  nb::list items;
  SharedBytes shared;
  for (const CheckpointTuple& tuple : page.items) {
    nb::list values;
    for (const Blob& blob : tuple.values) values.append(convert(blob, shared(blob.data)));
    items.append(convert(tuple, values));
  }
  return nb::make_tuple(items, text(page.next));
}
nb::object convert(const Health& health) {
  return nb::make_tuple(health.ok, text(health.detail), health.degraded);
}
nb::object convert(const std::string& value) {
  return text(value);
}
nb::object convert(const retention::SweepResult& result) {
  const retention::Swept& swept = result.swept;
  return nb::make_tuple(result.run, result.finished, swept.threads, swept.checkpoints, swept.writes,
                        swept.bytes, swept.busy, swept.collected, swept.tombstones, swept.notes,
                        text(result.summary));
}

}  // namespace

std::string to_text(nb::handle value, const char* field) {
  if (!PyUnicode_Check(value.ptr())) wrong_type(field, "a str", value);
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (data == nullptr) {
    PyErr_Clear();
    throw Error(Code::invalid_argument,
                std::string(field) + " is not valid Unicode: it holds a lone surrogate");
  }
  return {data, static_cast<std::size_t>(size)};
}

std::optional<std::string> to_optional_text(nb::handle value, const char* field) {
  if (value.is_none()) return std::nullopt;
  return to_text(value, field);
}

std::vector<std::string> to_texts(nb::handle value, const char* field) {
  std::vector<std::string> texts;
  for (nb::handle item : value) texts.push_back(to_text(item, field));
  return texts;
}

std::vector<Blob> to_blobs(nb::handle rows) {
  std::vector<Blob> blobs;
  for (nb::handle row : rows) {
    blobs.push_back({to_text(row[0], "channel"), to_text(row[1], "version"),
                     to_text(row[2], "type"), to_payload(row[3])});
  }
  return blobs;
}

std::vector<PendingWrite> to_writes(nb::handle rows, const std::string& task_id,
                                    const std::string& task_path) {
  std::vector<PendingWrite> writes;
  for (nb::handle row : rows) {
    writes.push_back({task_id, to_index(row[0]), to_text(row[1], "channel"), task_path,
                      to_text(row[2], "type"), to_payload(row[3])});
  }
  return writes;
}

std::vector<MetadataEquals> to_filter(nb::handle rows) {
  std::vector<MetadataEquals> filter;
  for (nb::handle row : rows) {
    filter.push_back({to_text(row[0], "filter key"), to_text(row[1], "filter value")});
  }
  return filter;
}

nb::object to_python(const Result& result) {
  return std::visit([](const auto& value) -> nb::object { return convert(value); }, result);
}

}  // namespace threadkeep::python
