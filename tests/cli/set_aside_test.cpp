// SPDX-License-Identifier: Apache-2.0
// `threadkeep set-aside`, beside a program that uses the journal.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <threadkeep/journal.hpp>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "layers/mutation_codec.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_SQLITE
namespace threadkeep {
namespace {

using Json = nlohmann::json;

class SetAsideCommands : public Cli {
 protected:
  SetAsideCommands() {
    Journal& journal = *holder_->journal();
    journal.take(Call());
    const PutCheckpoint put = testing::Draft("ada", "1").value("messages", "1", "\xff\x01");
    const std::vector<JournalRecord> records{{"ada", "put", encode(Mutation(put))},
                                             {"ada", "put", Bytes(std::string("no CBOR"))},
                                             {"bob", "put", Bytes(std::string("waits"))}};
    journal.append(records, Call());
    journal.set_aside(1, "the thread was deleted", Call());
    journal.set_aside(2, "the entry is damaged", Call());
  }

  std::string set_aside(Arguments arguments, int status) {
    arguments.insert(arguments.begin(), "set-aside");
    if (std::find(arguments.begin(), arguments.end(), "--url") == arguments.end()) {
      arguments.insert(arguments.end(), {"--url", url_});
    }
    return run(arguments, status);
  }
  std::uint64_t left() { return holder_->journal()->sizes(Call()).set_aside; }

  const std::string file_ = (directory.path() / "a journal.db").string();
  const std::string url_ = "sqlite:" + percent_encode(file_);
  const std::unique_ptr<Backend> holder_ = Registry::builtin().open(url_);
};

TEST_F(SetAsideCommands, list_what_the_store_refused) {
  const auto output = set_aside({"list"}, done);
  EXPECT_TRUE(contains(output, "the thread was deleted")) << output;
  EXPECT_TRUE(contains(output, "ada")) << output;
  EXPECT_FALSE(contains(output, "bob")) << output;
  const auto entries = Json::parse(set_aside({"list", "--json"}, done)).at("entries");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].at("seq"), 1);
  EXPECT_EQ(entries[0].at("lane"), "ada");
  EXPECT_EQ(entries[0].at("kind"), "put");
  EXPECT_EQ(entries[0].at("reason"), "the thread was deleted");
  EXPECT_GT(entries[0].at("at"), 0);
  EXPECT_EQ(entries[1].at("bytes"), 7);
}

TEST_F(SetAsideCommands, find_the_journal_of_a_store) {
  const auto store = url + "?fallback=" + percent_encode(url_);
  const auto output = set_aside({"list", "--url", store}, done);
  EXPECT_TRUE(contains(output, "the thread was deleted")) << output;
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "threads.db"));
}

TEST_F(SetAsideCommands, export_all_that_was_to_be_stored) {
  const auto output = directory.path() / "aside.jsonl";
  EXPECT_TRUE(contains(set_aside({"export", "--output", output}, done), "exported 2 entries"));
  std::ifstream file(output);
  std::string line;
  std::getline(file, line);
  const auto entry = Json::parse(line);
  EXPECT_EQ(entry.at("operation"), "put");
  EXPECT_EQ(entry.at("arguments").at("thread_id"), "ada");
  EXPECT_EQ(entry.at("arguments").at("blobs")[0].at("data").at("base64"), "/wE=");
  std::getline(file, line);
  EXPECT_EQ(Json::parse(line).at("body").at("base64"), "bm8gQ0JPUg==");
  EXPECT_FALSE(std::getline(file, line));
  EXPECT_TRUE(contains(set_aside({"export", "--output", output}, usage), "--overwrite"));
  set_aside({"export", "--output", output, "--overwrite"}, done);
}

TEST_F(SetAsideCommands, drop_nothing_without_yes) {
  const auto output = set_aside({"drop", "--all"}, done);
  EXPECT_TRUE(contains(output, "this is a dry run of 2 entries, say --yes")) << output;
  EXPECT_EQ(Json::parse(set_aside({"drop", "2", "--json"}, done)),
            (Json{{"ok", true}, {"dry_run", true}, {"entries", {2}}}));
  EXPECT_EQ(left(), 2U);
}

TEST_F(SetAsideCommands, drop_what_is_named) {
  EXPECT_TRUE(contains(set_aside({"drop", "2", "3", "--yes"}, failed), "no entry 3 is set aside"));
  EXPECT_EQ(left(), 2U) << "all or nothing";
  EXPECT_TRUE(contains(set_aside({"drop", "2", "--yes"}, done), "dropped 1 entry"));
  EXPECT_EQ(left(), 1U);
  set_aside({"drop", "--all", "--yes"}, done);
  EXPECT_EQ(left(), 0U);
  EXPECT_EQ(holder_->journal()->sizes(Call()).entries, 1U) << "what waits stays";
  EXPECT_TRUE(contains(set_aside({"list"}, done), "nothing is set aside in sqlite:"));
  EXPECT_TRUE(contains(set_aside({"drop"}, usage), "--all"));
}

TEST_F(SetAsideCommands, say_where_there_is_no_journal) {
  const auto none = set_aside({"list", "--url", "memory:"}, usage);
  EXPECT_TRUE(contains(none, "in memory")) << none;
  const auto memory = set_aside({"list", "--url", url + "?fallback=memory:"}, usage);
  EXPECT_TRUE(contains(memory, "in memory")) << memory;
  const auto absent = set_aside({"list", "--url", url}, failed);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "threads.db")) << absent;
}

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(SetAsideCommands, run_as_the_page_on_outages_says) {
  const std::string page_directory = "/var/lib/agent";
  const auto here = [&](std::string line) {
    const auto at = line.find(page_directory);
    return at == line.npos ? line : line.replace(at, page_directory.size(), directory.path());
  };
  std::filesystem::create_symlink(file_, directory.path() / "journal.db");
  {
    std::ofstream configuration(directory.path() / "threadkeep.yaml");
    for (const auto& line : lines_of(OUTAGES_PAGE, "yaml")) configuration << here(line) << "\n";
  }
  const auto lines = lines_of(OUTAGES_PAGE, "sh");
  EXPECT_EQ(lines.size(), 5U);
  const std::string bin = std::filesystem::path(THREADKEEP_COMMAND).parent_path();
  for (const auto& line : lines) {
    const int expected = contains(line, " doctor ") ? failed : done;  // Something is set aside.
    testing::run_program(
        {"/bin/bash", "-c", "PATH=\"$0:$PATH\"; cd \"$1\"; " + here(line), bin, directory.path()},
        expected);
  }
  EXPECT_EQ(left(), 0U);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "set-aside.jsonl"));
}
#endif

}  // namespace
}  // namespace threadkeep
#endif
