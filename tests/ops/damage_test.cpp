// SPDX-License-Identifier: Apache-2.0
// Archives that are damaged, cut off, or of another time.
#include <gtest/gtest.h>

#include <set>

#include "archive/sha256.hpp"
#include "sample.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_MEMORY
namespace threadkeep::ops {
namespace {

using testing::Draft;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Three small threads.
std::shared_ptr<Store> small_store() {
  auto store = new_memory();
  for (const auto* id : {"a", "b", "c"}) {
    store->write(PutThread{id, R"({"user": "ada"})"}, {});
    store->write(Draft(id, "1").value("messages", "1", std::string("hello ") + id), {});
    store->write(PutWrites{id, "", "1", {testing::pending("task", 0, "messages", "x")}}, {});
  }
  return store;
}

// Imports what may be damaged: it ends with an Error, or was not damaged; in both cases each thread
// is there wholly or not at all.
void expect_whole_threads(Store& original, const std::string& archive, bool must_fail) {
  const auto target = new_memory();
  bool failed = false;
  try {
    import(*target, archive);
  } catch (const Error& error) {
    failed = true;
    EXPECT_TRUE(error.code() == Code::corrupt || error.code() == Code::unsupported) << error.what();
    EXPECT_TRUE(contains(error.what(), "archive, line ")) << error.what();
  }
  EXPECT_TRUE(failed || !must_fail);
  std::size_t whole = 0;
  for (const auto* id : {"a", "b", "c"}) {
    const auto there = contents(*target, id);
    if (there.empty()) continue;
    EXPECT_EQ(there, contents(original, id));
    ++whole;
  }
  EXPECT_TRUE(failed || whole == 3);
  EXPECT_EQ(target->threads({}, {}).items.size(), whole);
}

TEST(Damage, cut_at_any_byte_is_told) {
  const auto store = small_store();
  const auto archive = archive_of(*store);
  for (std::size_t size = 0; size < archive.size(); ++size) {
    SCOPED_TRACE(size);
    expect_whole_threads(*store, archive.substr(0, size), true);
  }
}

TEST(Damage, of_any_byte_is_told) {
  const auto store = small_store();
  const auto archive = archive_of(*store);
  for (std::size_t at = 0; at < archive.size(); ++at) {
    for (const int flip : {1, 0x80, 0xFF}) {
      SCOPED_TRACE(std::to_string(at) + " " + std::to_string(flip));
      auto damaged = archive;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      // Some bits of a frame's header say nothing about the text.
      expect_whole_threads(*store, damaged, false);
    }
  }
}

TEST(Damage, of_any_byte_of_the_text_is_told) {
  const auto store = small_store();
  const auto lines = decompressed(archive_of(*store));
  for (std::size_t at = 0; at < lines.size(); ++at) {
    SCOPED_TRACE(at);
    auto damaged = lines;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    expect_whole_threads(*store, compressed(damaged), true);
    expect_whole_threads(*store, compressed(lines.substr(0, at)), true);
  }
}

TEST(Damage, spares_the_threads_before_it) {
  const auto store = small_store();
  auto lines = decompressed(archive_of(*store));
  lines[lines.find("\"thread_id\":\"c\"") + 13] = 'd';
  const auto target = new_memory();
  EXPECT_THROW(import(*target, compressed(lines)), Error);
  EXPECT_EQ(target->threads({}, {}).items.size(), 2U);
}

std::string error_of(const std::string& archive) {
  try {
    import(*new_memory(), archive);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// An archive whose checksums are right, made of other lines.
std::string with_lines(const std::string& lines) {
  Sha256 of_thread;
  Sha256 of_archive;
  std::string text;
  std::uint64_t threads = 0;
  const auto add = [&](const std::string& line) {
    of_thread.add(line);
    of_archive.add(line);
    text += line;
  };
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = lines.find('\n', at) + 1;
    std::string line = lines.substr(at, end - at);
    at = end;
    if (contains(line, "\"thread\"")) of_thread.restart();
    const auto sum = line.find("SUM");
    if (contains(line, "thread_end")) {
      ++threads;
      if (sum != std::string::npos) line.replace(sum, 3, of_thread.digest());
    }
    add(line);
  }
  add(encode(ArchiveEndLine{threads, of_archive.digest()}));
  return compressed(text);
}

const std::string header = "{\"kind\":\"archive\",\"format\":\"threadkeep\",\"version\":1}\n";
const std::string thread = "{\"kind\":\"thread\",\"thread_id\":\"t\"}\n";
const std::string checkpoint =
    "{\"kind\":\"checkpoint\",\"checkpoint_ns\":\"\",\"checkpoint_id\":\"1\",\"document\":"
    "\"{\\\"channel_versions\\\":{\\\"a\\\":1}}\",\"metadata\":\"{}\"}\n";
const std::string blob =
    "{\"kind\":\"blob\",\"checkpoint_ns\":\"\",\"channel\":\"a\",\"version\":\"1\",\"type\":\"\","
    "\"data\":\"aGk=\"}\n";
const std::string write =
    "{\"kind\":\"write\",\"checkpoint_ns\":\"\",\"checkpoint_id\":\"1\",\"task_id\":\"\",\"idx\":0,"
    "\"channel\":\"a\",\"task_path\":\"\",\"type\":\"\",\"data\":\"\"}\n";

const std::string message =
    "{\"kind\":\"message\",\"stream\":\"\",\"seq\":1,\"id\":\"1\",\"role\":\"user\",\"content\":"
    "\"1\","
    "\"metadata\":\"{}\",\"created_at\":1,\"version\":1}\n";
const std::string state = "{\"kind\":\"state\",\"key\":\"k\",\"value\":\"1\",\"version\":1}\n";

std::string thread_end(int checkpoints, int blobs, int writes) {
  return "{\"kind\":\"thread_end\",\"checkpoints\":" + std::to_string(checkpoints) +
         ",\"blobs\":" + std::to_string(blobs) + ",\"writes\":" + std::to_string(writes) +
         ",\"messages\":0,\"states\":0,\"sha256\":\"SUM\"}\n";
}

TEST(Damage, is_none_in_the_example_of_these_tests) {
  EXPECT_EQ(error_of(with_lines(header + thread + blob + checkpoint + write + thread_end(1, 1, 1))),
            "no error");
}

struct Wrong {
  std::string lines;
  std::string error;
};

TEST(Damage, is_told_by_its_line_and_with_a_remedy) {
  const std::string remedy = "; take another copy of the archive, or export again";
  const std::string newer = "; it may be from a newer version of threadkeep: use that one";
  const std::vector<Wrong> all = {
      {thread, "line 1: this is no archive's header" + remedy},
      {"{}\n", "line 1: member \"kind\" is missing or is not what it must be" + remedy},
      {"[1]\n", "line 1: not a JSON object of strings and integers" + remedy},
      {header + "{\"kind\":\"write\",\"kind\":\"write\"}\n", "line 2: not a JSON object"},
      {header + "{\"kind\":\"thread\",\"thread_id\":[]}\n", "line 2: not a JSON object"},
      {"{\"kind\":\"archive\",\"format\":\"threadkeep\",\"version\":2}\n",
       "line 1: an archive of format \"threadkeep\" and version 2" + newer},
      {header + "{\"kind\":\"song\",\"id\":\"1\"}\n", "line 2: unknown kind \"song\"" + newer},
      {header + "{\"kind\":\"thread\",\"thread_id\":\"t\",\"color\":\"red\"}\n",
       "line 2: unknown member \"color\" of thread" + newer},
      {header + thread + message + message, "line 4: the seqs of the stream are not in order"},
      {header + thread + state + state, "line 4: the thread has this state already"},
      {header + checkpoint, "line 2: a thread or the archive's end has to stand here" + remedy},
      {header + thread + header, "line 3: a part or the end of a thread has to stand here"},
      {header + thread + checkpoint + checkpoint, "line 4: the thread has this checkpoint already"},
      {header + thread + write + write, "line 4: the thread has this write already"},
      {header + thread + blob + blob, "line 4: the thread has this blob already"},
      {header + thread + checkpoint + blob + thread_end(1, 1, 0),
       "line 5: no checkpoint after the blob names channel 'a' at version '1'"},
      {header + thread + checkpoint + thread_end(2, 0, 0),
       "line 4: the thread has not as many parts as it says"},
      {header + thread + thread_end(0, 0, 0) + thread, "line 4: the ids of the threads are not in"},
      {header + thread +
           "{\"kind\":\"write\",\"checkpoint_ns\":\"\",\"checkpoint_id\":\"1\","
           "\"task_id\":\"\",\"idx\":3000000000}\n",
       "line 3: member \"idx\" of write is missing or is not what it must be"},
      {header + thread +
           "{\"kind\":\"blob\",\"checkpoint_ns\":\"\",\"channel\":\"a\",\"version\":"
           "\"1\",\"type\":\"\",\"data\":\"aGk\"}\n",
       "line 3: member \"data\" of blob is missing or is not what it must be"},
      {header + thread +
           "{\"kind\":\"checkpoint\",\"checkpoint_ns\":\"\",\"checkpoint_id\":\"1\","
           "\"document\":\"1\",\"metadata\":\"{}\"}\n",
       "line 3: "},
  };
  for (const auto& [lines, error] : all) {
    const auto told = error_of(with_lines(lines));
    EXPECT_TRUE(contains(told, "archive, " + error)) << told << "\nexpected " << error;
  }
}

TEST(Damage, behind_the_end_is_told) {
  const auto archive = with_lines(header);
  EXPECT_TRUE(contains(error_of(archive + archive), "line 3: something follows"));
  EXPECT_TRUE(contains(error_of(archive + "x"), "line 3: "));
}

TEST(Damage, other_files_are_no_archives) {
  EXPECT_TRUE(contains(error_of(""), "line 1: the archive ends before its last line"));
  EXPECT_TRUE(contains(error_of(decompressed(with_lines(header))), "line 1: the compressed bytes"));
}

// Others may compress the lines in their own way, in one frame or many.
TEST(Damage, is_not_another_compression_of_the_same_lines) {
  const auto store = small_store();
  const auto lines = decompressed(archive_of(*store));
  std::string frames;
  for (std::size_t at = 0; at < lines.size(); at += 7) frames += compressed(lines.substr(at, 7));
  const auto target = new_memory();
  import(*target, frames);
  EXPECT_EQ(contents(*target), contents(*store));
}

}  // namespace
}  // namespace threadkeep::ops
#endif
