// SPDX-License-Identifier: Apache-2.0
#include "archive/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

Error failure(const std::string& what) {
  const std::string why = std::generic_category().message(errno);
  return {errno == ENOSPC || errno == EDQUOT ? Code::no_space : Code::unavailable,
          what + ": " + why + "; TMPDIR may name a directory with more room"};
}

}  // namespace

void Spool::open_file() {
  std::error_code none;
  auto pattern = (std::filesystem::temp_directory_path(none) / "threadkeep-XXXXXX").string();
  const int descriptor = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (descriptor < 0) throw failure("cannot make the temporary file " + pattern);
  ::unlink(pattern.c_str());
  file_.reset(::fdopen(descriptor, "w+b"));
  if (!file_) throw failure("cannot open a temporary file");
}

Spool::Place Spool::add(std::string_view line) {
  const Place place{size_, line.size()};
  if (!file_ && memory_.size() + line.size() <= max_memory_) {
    memory_ += line;
  } else {
    if (!file_) open_file();
    // A file that was read from has to be told where writing goes on.
    if (::fseeko(file_.get(), 0, SEEK_END) != 0 ||
        std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size()) {
      throw failure("cannot write to a temporary file");
    }
  }
  size_ += line.size();
  return place;
}

std::string Spool::read(const Place& place) const {
  if (place.at + place.size <= memory_.size()) return memory_.substr(place.at, place.size);
  std::string line(place.size, '\0');
  const auto offset = static_cast<off_t>(place.at - memory_.size());
  if (std::fflush(file_.get()) != 0) throw failure("cannot write to a temporary file");
  if (::fseeko(file_.get(), offset, SEEK_SET) != 0 ||
      std::fread(line.data(), 1, line.size(), file_.get()) != line.size()) {
    throw failure("cannot read from a temporary file");
  }
  return line;
}

}  // namespace threadkeep::ops
