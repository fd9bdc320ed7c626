// SPDX-License-Identifier: Apache-2.0
// Archives that were written once are read for ever, and docs/storage/archive.md shows one.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "sample.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_MEMORY
namespace threadkeep::ops {
namespace {

std::string file(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

const Environment at_noon{[] { return std::int64_t{1'800'000'000'000'000}; }};

// What the golden archive holds.
std::shared_ptr<Store> golden_store() {
  auto store = std::make_shared<Store>(Registry::builtin().open("memory:", at_noon));
  store->write(PutThread{"ada", R"({"user": "ada"})"}, {});
  store->write(PutCheckpoint{"ada",
                             "",
                             "1",
                             {},
                             R"({"channel_versions": {"messages": "1"}})",
                             R"({"step": 0})",
                             {{"messages", "1", "text", Bytes::copy("hello")}}},
               {});
  store->write(PutCheckpoint{"ada",
                             "",
                             "2",
                             "1",
                             R"({"channel_versions": {"messages": "1", "big": 2}})",
                             R"({"big": 123456789012345678901234567890, "big": 1.0e0})",
                             {{"big", "2", "bytes", Bytes::copy({"\0\xff", 2})}}},
               {});
  store->write(PutWrites{"ada", "", "2", {{"task", 0, "messages", "~1", "text", Bytes::copy("w")}}},
               {});
  store->write(
      PutWrites{writes_only, "child:1", "9", {{"task", -1, "__error__", "", "text", Bytes()}}}, {});
  AppendMessages append;
  append.thread_id = "ada";
  append.messages = {{"m1", "user", R"({"text": "hi"})", R"({"n": 1.0})"},
                     {"m2", "assistant", "\"hello\"", "{}"}};
  store->write(append, {});
  store->write(
      ChangeState{StateScope::of_thread("ada"), {{"color", StateChange::Kind::put, "\"red\"", {}}}},
      {});
  return store;
}

TEST(GoldenArchive, is_read_and_imported) {
  const auto target = new_memory();
  const auto imported = import(*target, file(GOLDEN_ARCHIVE));
  EXPECT_EQ(imported.report.restored, 2U);
  EXPECT_EQ(contents(*target), contents(*golden_store()));
}

// The lines, and not how they are compressed: other versions of Zstandard make other bytes.
TEST(GoldenArchive, is_what_is_written_today) {
  const auto lines = decompressed(archive_of(*golden_store()));
  EXPECT_EQ(lines, decompressed(file(GOLDEN_ARCHIVE)));
}

TEST(GoldenArchive, is_shown_by_the_documentation) {
  const auto page = file(ARCHIVE_PAGE);
  const auto lines = decompressed(file(GOLDEN_ARCHIVE));
  EXPECT_NE(page.find("```json\n" + lines + "```\n"), std::string::npos) << lines;
}

}  // namespace
}  // namespace threadkeep::ops
#endif
