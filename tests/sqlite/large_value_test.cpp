// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

// Not the same byte everywhere, so that a piece in the wrong place is seen.
Bytes pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; i += 512) text[i] = static_cast<char>(i / 512 % 251);
  return Bytes(std::move(text));
}

// As many zero bytes as asked for, without the memory for them.
Bytes untouched(std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  const std::shared_ptr<const void> owner(
      memory, [size](const void* p) { munmap(const_cast<void*>(p), size); });
  return Bytes::share(owner, {static_cast<const char*>(memory), size});
}

PutCheckpoint with_blob(Bytes data) {
  PutCheckpoint checkpoint = Draft("t", "1").carries("a", "1");
  checkpoint.blobs.push_back({"a", "1", "bytes", std::move(data)});
  return checkpoint;
}

TEST(LargeValues, of_256_mebibytes_come_back_as_they_were) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "store.db";
  const Bytes value = pattern(256 * mebibyte);
  const Call patient{Deadline::after(std::chrono::minutes(2)), {}};
  {
    Checkpointer store = open_store(file, "synchronous=normal");
    store.put(with_blob(value), patient);
  }
  const auto tuple = open_store(file).get({"t", "", {}, {}}, patient);
  ASSERT_TRUE(tuple && tuple->values.size() == 1);
  EXPECT_TRUE(tuple->values[0].data == value);
}

TEST(LargeValues, above_the_limit_are_refused_before_anything_is_written) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "store.db";
  Checkpointer store = open_store(file);
  const std::size_t limit = store.store()->capabilities().max_value_bytes;
  EXPECT_GE(limit, 256 * mebibyte);
  const Error error = error_of([&] { store.put(with_blob(untouched(limit + 1))); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  EXPECT_NE(error.message().find("max_value_bytes"), std::string::npos) << error.what();
  EXPECT_NE(error.message().find("blob 'a'"), std::string::npos) << error.what();
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace threadkeep::sqlite_test
