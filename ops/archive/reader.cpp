// SPDX-License-Identifier: Apache-2.0
#include "archive/reader.hpp"

#include <utility>

#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

constexpr std::size_t max_header_bytes = 4096;

// So that what is something else is not read to its end.
bool may_be_a_line(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return text.size() <= max_header_bytes;
  const auto second = text.find_first_not_of(" \t\r", first + 1);
  return text[first] == '{' && (second == std::string_view::npos || text[second] == '"');
}

[[noreturn]] void damaged(const std::string& what) {
  throw Error(Code::corrupt, what);
}

template <class Part>
void add_part(ArchivedThread& thread, const Part& part, std::string_view text) {
  if constexpr (requires { thread.add(part, text); }) {
    thread.add(part, text);
  } else {
    damaged("a part or the end of a thread has to stand here");
  }
}

}  // namespace

ArchiveReader::ArchiveReader(Source source) : decompressor_(std::move(source)) {}

std::optional<ArchivedThread> ArchiveReader::next() {
  try {
    return read_next();
  } catch (const Error& error) {
    if (error.code() != Code::corrupt && error.code() != Code::unsupported) throw;
    const std::string remedy =
        error.code() == Code::corrupt ? "; take another copy of the archive, or export again" : "";
    throw Error(error.code(),
                "archive, line " + std::to_string(line_) + ": " + error.message() + remedy);
  }
}

std::optional<ArchivedThread> ArchiveReader::read_next() {
  if (line_ == 0) {
    const Entry header = read_line();
    if (!std::holds_alternative<HeaderLine>(header.line)) damaged("this is no archive's header");
    of_archive_.add(header.text);
  }
  const Entry entry = read_line();
  if (const auto* end = std::get_if<ArchiveEndLine>(&entry.line)) {
    finish(*end);
    return {};
  }
  const auto* head = std::get_if<ThreadLine>(&entry.line);
  if (head == nullptr) damaged("a thread or the archive's end has to stand here");
  return read_thread(*head, entry.text);
}

// False at the end.
bool ArchiveReader::has_more() {
  if (piece_.empty()) piece_ = decompressor_.next();
  return !piece_.empty();
}

// Text up to the next newline, with it; nothing at the end.
std::optional<std::string> ArchiveReader::read_text() {
  std::string text;
  while (has_more()) {
    const auto newline = piece_.find('\n');
    const auto size = newline == std::string_view::npos ? piece_.size() : newline + 1;
    text += piece_.substr(0, size);
    piece_.remove_prefix(size);
    if (newline != std::string_view::npos) return text;
    // What is compressed well makes gigabytes of a few bytes.
    if (line_ == 1 && text.size() > max_header_bytes) damaged("this is no archive's header");
    if (!may_be_a_line(text)) damaged("not a JSON object of strings and integers");
    if (text.size() >= max_line_bytes) damaged("the line is longer than 2 GiB");
  }
  if (text.empty()) return {};
  return text;
}

ArchiveReader::Entry ArchiveReader::read_line() {
  ++line_;
  auto text = read_text();
  if (!text) damaged("the archive ends before its last line: it is truncated");
  if (text->back() != '\n') damaged("the archive ends within this line: it is truncated");
  Line line = decode(std::string_view(*text).substr(0, text->size() - 1));
  return {std::move(line), std::move(*text)};
}

ArchivedThread ArchiveReader::read_thread(const ThreadLine& head, const std::string& text) {
  if (head.thread_id <= last_thread_id_) damaged("the ids of the threads are not in order");
  last_thread_id_ = head.thread_id;
  ArchivedThread thread(head);
  of_thread_.restart();
  of_thread_.add(text);
  of_archive_.add(text);
  for (;;) {
    const Entry entry = read_line();
    if (const auto* end = std::get_if<ThreadEndLine>(&entry.line)) {
      if (end->sha256 != of_thread_.digest()) damaged("the checksum of the thread is wrong");
      if (end->counts != thread.counts()) damaged("the thread has not as many parts as it says");
      thread.check_whole();
      of_archive_.add(entry.text);
      ++threads_;
      return thread;
    }
    of_thread_.add(entry.text);
    of_archive_.add(entry.text);
    std::visit([&](const auto& line) { add_part(thread, line, entry.text); }, entry.line);
  }
}

void ArchiveReader::finish(const ArchiveEndLine& end) {
  if (end.sha256 != of_archive_.digest()) damaged("the checksum of the archive is wrong");
  if (end.threads != threads_) damaged("the archive has not as many threads as it says");
  ++line_;
  if (has_more()) damaged("something follows after the archive's end");
}

}  // namespace threadkeep::ops
