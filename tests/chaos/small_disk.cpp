// SPDX-License-Identifier: Apache-2.0
#include "small_disk.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace threadkeep::chaos_test {

namespace {

// In a user namespace of its own a process may mount without being root. It stays the user that it
// is, for servers refuse to run as root.
bool enter_user_namespace() {
  const auto uid = std::to_string(getuid());
  const auto gid = std::to_string(getgid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << uid << " " << uid << " 1";
  std::ofstream("/proc/self/gid_map") << gid << " " << gid << " 1";
  return true;
}

void may_mount() {
  static const bool entered = unshare(CLONE_NEWNS) == 0 || enter_user_namespace();
  if (!entered) throw std::runtime_error("no small disk: this process may not mount");
  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

void check(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

SmallDisk::SmallDisk(int mebibytes) {
  may_mount();
  const auto options = "mode=700,size=" + std::to_string(mebibytes) + "m";
  check(mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str()) == 0, "mount");
  if (geteuid() != 0) return;
  const passwd* user = getpwnam("postgres");
  if (user == nullptr) throw std::runtime_error("there is no user postgres on this machine");
  check(chown(path().c_str(), user->pw_uid, user->pw_gid) == 0, "chown");
}

SmallDisk::~SmallDisk() {
  umount2(path().c_str(), MNT_DETACH);
}

void SmallDisk::take(const std::filesystem::path& directory) {
  struct stat before {};
  check(stat(directory.c_str(), &before) == 0, "stat");
  const auto here = path() / directory.filename();
  std::filesystem::copy(directory, here, std::filesystem::copy_options::recursive);
  check(chown(here.c_str(), before.st_uid, before.st_gid) == 0, "chown");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(here)) {
    check(chown(entry.path().c_str(), before.st_uid, before.st_gid) == 0, "chown");
  }
  std::filesystem::remove_all(directory);
  std::filesystem::create_directory_symlink(here, directory);
}

void SmallDisk::fill() {
  const int file = ::open(ballast().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  check(file >= 0, "open");
  const std::string block(4096, 'x');
  while (::write(file, block.data(), block.size()) > 0) continue;
  const bool full = errno == ENOSPC;
  ::close(file);
  if (!full) throw std::runtime_error("the small disk cannot be filled");
}

void SmallDisk::empty() {
  std::filesystem::remove(ballast());
}

}  // namespace threadkeep::chaos_test
