// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/reject_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive/base64.hpp>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

namespace threadkeep::migration {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  const int why = errno;
  throw Error(why == ENOSPC ? Code::no_space : Code::unavailable,
              "cannot " + what + " " + path + ": " + std::generic_category().message(why) +
                  "; name another file with --reject-file");
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(descriptor, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

// A new file is there after a crash only when its directory is on the disk.
void sync_directory(const std::string& path) {
  const auto directory = std::filesystem::absolute(path).parent_path();
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("open the directory of", path);
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

RejectFile::~RejectFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RejectFile::open() {
  // A pipe would be waited for, with the target locked; whether rows are in one nobody can tell.
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (descriptor_ < 0) fail("open", path_);
  // Also where it is there already: rows are for its owner only. A terminal or a pipe stays as it
  // is.
  struct stat status {};
  const bool is_file = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (is_file && ::fchmod(descriptor_, 0600) != 0) fail("protect", path_);
  sync_directory(path_);
}

void RejectFile::add(const tables::Reject& reject, const std::vector<std::string>& columns) {
  if (descriptor_ < 0) open();
  nlohmann::json line = {{"table", reject.table},
                         {"code", reject.code},
                         {"message", reject.message},
                         {"columns", columns},
                         {"line", reject.line}};
  if (!is_utf8(reject.line)) {
    std::string bytes;
    ops::append_base64(bytes, reject.line);
    line["line_base64"] = std::move(bytes);
  }
  write_all(descriptor_, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
            path_);
  if (::fdatasync(descriptor_) != 0) fail("write", path_);
}

}  // namespace threadkeep::migration
