// SPDX-License-Identifier: Apache-2.0
#include "archive/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

Error failure(const std::string& what) {
  const std::string why = std::generic_category().message(errno);
  switch (errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {Code::no_space, what + ": " + why};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Code::denied, what + ": " + why};
    default:
      return {Code::unavailable, what + ": " + why};
  }
}

Error exists(const std::string& path) {
  return {Code::duplicate, path + " is there already; choose another name, or say --overwrite"};
}

// As root, rename() would put a file in the place of /dev/null.
void check_may_be_a_file(const std::string& path) {
  std::error_code none;
  const auto status = std::filesystem::status(path, none);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) return;
  throw Error(Code::invalid_argument,
              "'" + path + "' is a directory, a device or a pipe; name a file");
}

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

// So that the name survives a crash of the machine.
void sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw failure("cannot open the directory " + path);
  const int result = ::fsync(descriptor);
  ::close(descriptor);
  if (result != 0) throw failure("cannot write the directory " + path);
}

}  // namespace

NewFile::NewFile(std::string path, bool replace)
    : path_(std::move(path)), replace_(replace), partial_(path_ + ".partial-XXXXXX") {
  check_may_be_a_file(path_);
  std::error_code none;
  if (!replace_ && std::filesystem::exists(path_, none)) throw exists(path_);
  descriptor_ = ::mkostemp(partial_.data(), O_CLOEXEC);
  if (descriptor_ < 0) throw failure("cannot write " + path_);
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!partial_.empty()) ::unlink(partial_.c_str());
}

void NewFile::let_all_read() {
  if (::fchmod(descriptor_, 0644) != 0) throw failure("cannot write " + path_);
}

void NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(descriptor_, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw failure("cannot write " + path_);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

// rename() would replace a file that came in between. False where the file system has no links.
bool NewFile::link() const {
  if (::link(partial_.c_str(), path_.c_str()) == 0) return true;
  std::error_code none;
  if (errno == EEXIST || std::filesystem::exists(path_, none)) throw exists(path_);
  return false;
}

void NewFile::finish() {
  if (::fsync(descriptor_) != 0) throw failure("cannot write " + path_);
  if (replace_ || !link()) {
    if (::rename(partial_.c_str(), path_.c_str()) != 0) throw failure("cannot write " + path_);
    partial_.clear();
  }
  sync_directory(directory_of(path_));
}

}  // namespace threadkeep::ops
