// SPDX-License-Identifier: Apache-2.0
#include "diary.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace threadkeep::soak {

namespace {

constexpr std::string_view told_marks = "+-?";  // in the order of Told
constexpr std::size_t whole_size = 64 << 20;    // of which most is never written
constexpr char sent_mark = '>';

char* map(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) throw std::system_error(errno, std::generic_category(), path);
  void* place = mmap(nullptr, whole_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (place == MAP_FAILED) throw std::system_error(errno, std::generic_category(), path);
  return static_cast<char*>(place);
}

// Nothing when the line is not whole: the process ended in the middle of it.
std::optional<Entry> entry_of(const std::string& line, char& mark) {
  std::istringstream words(line);
  Entry entry;
  char kind = 0;
  std::string end;
  words >> entry.thread >> kind >> entry.id >> entry.value >> mark >> entry.late >> end;
  if (!words || end != ".") return {};
  entry.kind = static_cast<Entry::Kind>(kind);
  std::getline(words, entry.how);
  const auto told = told_marks.find(mark);
  entry.told = told == std::string_view::npos ? Told::unknown : static_cast<Told>(told);
  return entry;
}

// Of what was sent and never told the last line is left.
void add_entry(Diary::Content& content, const std::string& line, bool& is_open) {
  char mark = 0;
  auto entry = entry_of(line, mark);
  if (!entry) return;
  if (is_open && mark != sent_mark) content.entries.pop_back();
  is_open = mark == sent_mark;
  content.entries.push_back(std::move(*entry));
}

}  // namespace

void Diary::create(const std::filesystem::path& path) {
  std::ofstream(path).flush();
  std::filesystem::resize_file(path, whole_size);
}

Diary::Diary(const std::filesystem::path& path) {
  if (path.empty()) return;
  text_ = map(path);
  end_ = strnlen(text_, whole_size);
  add("");  // ends a line that its writer did not
}

Diary::~Diary() {
  if (text_ != nullptr) munmap(text_, whole_size);
}

void Diary::sends(const Entry& entry) {
  add(entry, sent_mark);
}

void Diary::is_told(const Entry& entry) {
  add(entry, told_marks.at(static_cast<std::size_t>(entry.told)));
}

void Diary::sees(const std::string& problem) {
  add("! " + problem);
}

void Diary::ends(std::size_t reads, std::size_t failed_reads) {
  add("= " + std::to_string(reads) + " " + std::to_string(failed_reads));
}

void Diary::add(const Entry& entry, char told) {
  std::ostringstream line;
  line << entry.thread << " " << static_cast<char>(entry.kind) << " " << entry.id << " "
       << entry.value << " " << told << " " << entry.late << " . " << entry.how;
  add(line.str());
}

void Diary::add(const std::string& line) {
  if (text_ == nullptr) return;
  auto text = line;
  std::replace(text.begin(), text.end(), '\n', ' ');
  text += '\n';
  if (end_ + text.size() >= whole_size) throw std::runtime_error("the diary is full");
  std::memcpy(text_ + end_, text.data(), text.size());
  end_ += text.size();
}

Diary::Content Diary::read(const std::filesystem::path& path) {
  Content content;
  if (path.empty()) return content;
  char* const place = map(path);
  std::istringstream file(std::string(place, strnlen(place, whole_size)));
  munmap(place, whole_size);
  bool is_open = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("! ")) {
      content.problems.push_back(line.substr(2));
    } else if (line.starts_with("= ")) {
      std::size_t reads = 0;
      std::size_t failed = 0;
      std::istringstream(line.substr(2)) >> reads >> failed;
      content.reads += reads;
      content.failed_reads += failed;
    } else {
      add_entry(content, line, is_open);
    }
  }
  return content;
}

}  // namespace threadkeep::soak
