// SPDX-License-Identifier: Apache-2.0
// A disk that is full, for real: a small file system of its own, and a limit on the file's size.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>

#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

constexpr std::uintmax_t small_disk = 64 * 1024 * 1024;

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

// In a user namespace of its own a process may mount without being root.
bool enter_user_namespace() {
  const auto uid = std::to_string(getuid());
  const auto gid = std::to_string(getgid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", "0 " + uid + " 1");
  write_file("/proc/self/gid_map", "0 " + gid + " 1");
  return true;
}

bool mount_small_disk(const std::filesystem::path& at) {
  if (unshare(CLONE_NEWNS) != 0 && !enter_user_namespace()) return false;
  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  return mount("tmpfs", at.c_str(), "tmpfs", 0, "size=4m") == 0;
}

// A container that may not mount usually has a small shared-memory disk.
std::filesystem::path find_small_disk(const std::filesystem::path& directory) {
  if (mount_small_disk(directory)) return directory;
  const std::filesystem::path shared = "/dev/shm";
  require(std::filesystem::space(shared).available <= small_disk,
          "no small disk: mounting is not allowed, and /dev/shm is large");
  return shared;
}

std::string filler(std::size_t bytes) {
  return std::string(bytes, 'x');
}

// Takes what is left of the disk; gives it back when it goes.
class Ballast {
 public:
  explicit Ballast(const std::filesystem::path& directory) : path_(directory / "ballast") {
    const int file = ::open(path_.c_str(), O_CREAT | O_WRONLY, 0600);
    const std::string block = filler(4096);
    while (write(file, block.data(), block.size()) > 0) {
    }
    close(file);
  }
  ~Ballast() { std::filesystem::remove(path_); }
  Ballast(const Ballast&) = delete;
  Ballast& operator=(const Ballast&) = delete;

 private:
  std::filesystem::path path_;
};

Code code_of_put(Checkpointer& store, const PutCheckpoint& checkpoint) {
  try {
    store.put(checkpoint);
  } catch (const Error& error) {
    require(error.message().find("space") != std::string::npos, error.what());
    return error.code();
  }
  throw std::runtime_error("the put succeeded on a full disk");
}

std::string value_of(Checkpointer& store, const std::string& id) {
  const auto tuple = store.get({"t", "", id, {}});
  return tuple && tuple->values.size() == 1 ? std::string(tuple->values[0].data.view()) : "none";
}

const Draft large = Draft("t", "2").value("a", "2", filler(1024 * 1024));

void fill_and_recover(const std::filesystem::path& directory) {
  const auto file = directory / "store.db";
  {
    Checkpointer store = open_store(file);
    store.put(Draft("t", "1").value("a", "1", "kept"));
    {
      const Ballast ballast(directory);
      require(code_of_put(store, large) == Code::no_space, "no_space was expected");
      require(value_of(store, "1") == "kept", "what was stored before is lost");
      require(value_of(store, "2") == "none", "half of a put is stored");
    }
    store.put(large);
    require(value_of(store, "2") == filler(1024 * 1024), "the store does not work again");
    require(RawDatabase(file).value("PRAGMA integrity_check") == "ok", "damaged");
  }
  std::filesystem::remove(file);
}

TEST(FullDisk, is_no_space_and_the_store_works_again_when_there_is_some) {
  const TemporaryDirectory directory;
  Child child([&] { fill_and_recover(find_small_disk(directory.path())); });
  EXPECT_TRUE(child.succeeded());
}

void create_on_full_disk(const std::filesystem::path& directory) {
  const auto file = directory / "store.db";
  const Ballast ballast(directory);
  Checkpointer store = open_store(file);
  require(code_of_put(store, large) == Code::no_space, "no_space was expected");
  std::filesystem::remove(file);
}

TEST(FullDisk, a_store_that_cannot_be_created_is_no_space) {
  const TemporaryDirectory directory;
  Child child([&] { create_on_full_disk(find_small_disk(directory.path())); });
  EXPECT_TRUE(child.succeeded());
}

// One member is too large for what is left, the others are not.
void fill_with_batch(const std::filesystem::path& directory) {
  Checkpointer store = open_store(directory / "store.db");
  store.put(Draft("t", "1").value("a", "1", "kept"));
  std::vector<Mutation> batch{Draft("small", "1").value("a", "1", "x"),
                              Draft("huge", "1").value("a", "1", filler(8 * 1024 * 1024)),
                              Draft("small", "2").value("a", "2", "y")};
  const auto outcomes = store.store()->write_all(std::move(batch), Call());
  require(!outcomes[0].error && !outcomes[2].error, "a small member failed too");
  require(outcomes[1].error && outcomes[1].error->code() == Code::no_space,
          "no_space was expected");
  require(store.get({"small", "", "2", {}}).has_value(), "a small member is not stored");
  require(!store.get({"huge", "", "1", {}}).has_value(), "half of a put is stored");
  std::filesystem::remove(directory / "store.db");
}

TEST(FullDisk, hits_only_the_member_of_a_batch_that_is_too_large) {
  const TemporaryDirectory directory;
  Child child([&] {
    require(mount_small_disk(directory.path()), "a disk of a known size is needed");
    fill_with_batch(directory.path());
  });
  EXPECT_TRUE(child.succeeded());
}

void run_into_file_size_limit(const std::filesystem::path& directory) {
  signal(SIGXFSZ, SIG_IGN);
  Checkpointer store = open_store(directory / "store.db");
  store.put(Draft("t", "1").value("a", "1", "kept"));
  const rlimit tight{512 * 1024, RLIM_INFINITY};
  const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
  require(setrlimit(RLIMIT_FSIZE, &tight) == 0, "setrlimit");
  require(code_of_put(store, large) == Code::no_space, "no_space was expected");
  require(value_of(store, "1") == "kept", "what was stored before is lost");
  require(setrlimit(RLIMIT_FSIZE, &none) == 0, "setrlimit");
  store.put(large);
  require(value_of(store, "2") == filler(1024 * 1024), "the store does not work again");
}

TEST(FullDisk, a_limit_on_the_size_of_the_file_is_no_space) {
  const TemporaryDirectory directory;
  Child child([&] { run_into_file_size_limit(directory.path()); });
  EXPECT_TRUE(child.succeeded());
}

}  // namespace
}  // namespace threadkeep::sqlite_test
