// SPDX-License-Identifier: Apache-2.0
// `threadkeep threads`, as a person or a script runs it.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_SQLITE
namespace threadkeep {
namespace {

using Json = nlohmann::json;
using testing::Draft;
using testing::pending;

class ThreadsCommand : public Cli {
 protected:
  ThreadsCommand() { store->setup({}); }

  Draft draft(const std::string& id, const std::string& parent, const std::string& step) {
    Draft draft("ada", id);
    draft.value("messages", id, "text of " + id)
        .metadata(R"({"source": "loop", "step": )" + step + "}");
    if (!parent.empty()) draft.parent(parent);
    return draft;
  }

  void write(Mutation mutation) { store->write(std::move(mutation), {}); }

  std::string run_on_store(Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), "threads");
    arguments.insert(arguments.end(), {"--url", url});
    return run(arguments, status);
  }
  Json run_for_json(Arguments arguments, int status = done) {
    arguments.emplace_back("--json");
    return Json::parse(run_on_store(arguments, status));
  }

  const std::shared_ptr<Store> store = open(url);
};

TEST_F(ThreadsCommand, lists_threads_page_by_page) {
  EXPECT_TRUE(contains(run_on_store({"list"}), "no threads in " + url));
  for (const auto* id : {"a", "b", "c"}) write(PutThread{id, R"({"user": "ada"})"});
  const auto first = run_for_json({"list", "--limit", "2"});
  EXPECT_EQ(first.at("threads").size(), 2U);
  EXPECT_EQ(first.at("threads")[0].at("metadata").at("user"), "ada");
  const auto cursor = first.at("next").get<std::string>();
  const auto second = run_for_json({"list", "--limit", "2", "--cursor", cursor});
  EXPECT_EQ(second.at("threads")[0].at("thread_id"), "c");
  EXPECT_EQ(second.at("next"), "");
  EXPECT_EQ(run_for_json({"list", "--all"}).at("threads").size(), 3U);
  EXPECT_TRUE(contains(run_on_store({"list", "--limit", "2"}), "more: --cursor " + cursor));
}

TEST_F(ThreadsCommand, lists_threads_by_their_metadata) {
  write(PutThread{"a", R"({"user": "ada", "age": 3})"});
  write(PutThread{"b", R"({"user": "3"})"});
  const auto ids = [&](const std::string& condition) {
    std::string text;
    const auto page = run_for_json({"list", "--metadata", condition});
    for (const auto& thread : page.at("threads")) {
      text += thread.at("thread_id").get<std::string>();
    }
    return text;
  };
  EXPECT_EQ(ids("user=ada"), "a");
  EXPECT_EQ(ids("age=3"), "a");
  EXPECT_EQ(ids("user=\"3\""), "b");
  EXPECT_EQ(ids("user=3"), "") << "a number";
  EXPECT_TRUE(contains(run_on_store({"list", "--metadata", "user"}, usage), "NAME=VALUE"));
}

TEST_F(ThreadsCommand, shows_what_happened_in_a_thread) {
  write(draft("1", "", "-1"));
  write(draft("2", "1", "0"));
  write(draft("3", "1", "0"));
  write(PutWrites{"ada",
                  "",
                  "3",
                  {pending("task-7", 0, "messages", "hi", "~__pregel_pull, answer"),
                   pending("task-7", -3, "__interrupt__", "may I?", "~__pregel_pull, answer")}});
  const auto shown = run_on_store({"show", "ada"});
  EXPECT_EQ(shown.find("thread ada  created 20"), 0U) << shown;
  EXPECT_EQ(shown.substr(shown.find('\n') + 1),
            "● step -1  loop  2026-01-02 03:04:05 UTC  1  forks here\n"
            "│   messages (text, 9 B)\n"
            "│ ● step 0  loop  2026-01-02 03:04:05 UTC  2\n"
            "│ │   messages (text, 9 B)\n"
            "● step 0  loop  2026-01-02 03:04:05 UTC  3  latest\n"
            "│   messages (text, 9 B)\n"
            "│   answer → __interrupt__ (text, 6 B): may I?\n"
            "│   answer → messages (text, 2 B)\n");
  EXPECT_TRUE(
      contains(run_on_store({"show", "ada", "--values"}), "messages (text, 9 B): text of 2"));
}

TEST_F(ThreadsCommand, shows_what_is_known_of_the_thread_itself) {
  write(draft("1", "", "-1"));
  EXPECT_FALSE(contains(run_on_store({"show", "ada"}), "metadata"));
  write(PutThread{"ada", R"({"user": "lovelace"})"});
  EXPECT_TRUE(contains(run_on_store({"show", "ada"}), "\nmetadata {\"user\": \"lovelace\"}\n"));
  const auto thread = store->threads({}, {}).items.front();
  const auto shown = run_for_json({"show", "ada"});
  EXPECT_EQ(shown.at("metadata"), Json({{"user", "lovelace"}}));
  EXPECT_EQ(shown.at("created_at"), thread.created_at);
  EXPECT_EQ(shown.at("updated_at"), thread.updated_at);
  EXPECT_EQ(shown.at("revision"), 1);
}

TEST_F(ThreadsCommand, prints_all_pages_of_a_long_listing) {
  std::vector<Mutation> all;
  for (int i = 0; i < 2500; ++i) {
    all.push_back(PutThread{"t" + std::to_string(10'000 + i), "{}"});
  }
  all.push_back(PutThread{"u" + std::string(100, 'x'), "{}"});
  store->write_all(std::move(all), {});
  const auto table = run_on_store({"list", "--all"});
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2502);
  EXPECT_EQ(table.rfind("THREAD"), 0U) << "one heading";
  EXPECT_TRUE(contains(table, "\nt12499  2")) << "as wide as on the first page";
  EXPECT_TRUE(contains(table, "xxx  2")) << "wider than the first page";
  EXPECT_EQ(run_for_json({"list", "--all"}).at("threads").size(), 2501U);
  const auto cursor = run_for_json({"list", "--limit", "2000"}).at("next").get<std::string>();
  EXPECT_GT(run_for_json({"list", "--all", "--cursor", cursor}).at("threads").size(), 500U);
}

// A listing that ends early is an object all the same, and says where to go on.
TEST_F(ThreadsCommand, ends_a_listing_well_where_a_page_cannot_be_read) {
  std::vector<Mutation> all;
  for (int i = 0; i < 2500; ++i) {
    all.push_back(PutThread{"t" + std::to_string(10'000 + i), R"({"a": 1})"});
  }
  store->write_all(std::move(all), {});
  testing::run_program({"sqlite3", directory.path() / "threads.db",
                        "UPDATE threadkeep_threads SET metadata = '{' WHERE thread_id = 't11500'"});
  const Arguments listing = {"list", "--all", "--metadata", "a=1"};
  const auto output = run_for_json(listing, failed);
  EXPECT_EQ(output.at("ok"), false);
  EXPECT_EQ(output.at("code"), "corrupt");
  EXPECT_EQ(output.at("threads").size(), 1000U);
  const auto table = run_on_store(listing, failed);
  EXPECT_TRUE(contains(table, "more: --cursor " + output.at("next").get<std::string>()));
}

TEST_F(ThreadsCommand, shows_the_newest_checkpoints_and_says_what_is_left_out) {
  write(draft("1", "", "-1"));
  write(draft("2", "1", "0"));
  const auto last = run_on_store({"show", "ada", "--last", "1"});
  EXPECT_TRUE(contains(last, "older checkpoints are left out")) << last;
  EXPECT_FALSE(contains(last, "step -1")) << last;
  EXPECT_FALSE(contains(run_on_store({"show", "ada", "--all"}), "left out"));
  EXPECT_EQ(run_for_json({"show", "ada", "--last", "1"}).at("more"), true);
}

TEST_F(ThreadsCommand, shows_each_namespace_by_itself) {
  write(draft("1", "", "-1"));
  write(draft("2", "", "-1").ns("sub:1"));
  const auto all = run_on_store({"show", "ada"});
  EXPECT_TRUE(contains(all, "\nnamespace sub:1\n")) << all;
  const auto shown = run_for_json({"show", "ada", "--namespace", "sub:1"});
  ASSERT_EQ(shown.at("namespaces").size(), 1U);
  EXPECT_EQ(shown.at("namespaces")[0].at("checkpoints")[0].at("checkpoint_id"), "2");
}

TEST_F(ThreadsCommand, shows_hostile_text_as_escapes) {
  write(draft("1", "", "-1").value("\x1b[2J", "1", "\x1b]0;owned\x07"));
  write(PutThread{"\x1b[31m", R"({"a": "\u001b[31m"})"});
  for (const Arguments& arguments : {Arguments{"show", "ada", "--values"}, Arguments{"list"},
                                     Arguments{"delete", "\x1b[31m", "--yes"}}) {
    const auto output = run_on_store(arguments);
    EXPECT_FALSE(contains(output, "\x1b")) << arguments.front();
  }
}

TEST_F(ThreadsCommand, refuses_what_is_no_id) {
  write(draft("1", "", "-1"));
  const std::string long_id(600, 'x');
  for (const auto& [bad, why] : {std::pair<std::string, std::string>{"\xff", "must be UTF-8"},
                                 {"\xed\xa0\x80", "must be UTF-8"},
                                 {long_id, "600 bytes long; at most 512 are allowed"},
                                 {"", "must not be empty"}}) {
    for (const Arguments& arguments :
         {Arguments{"show", bad}, Arguments{"history", bad}, Arguments{"diff", bad},
          Arguments{"copy", bad, "b"}, Arguments{"copy", "ada", bad},
          Arguments{"delete", bad, "--yes"}}) {
      const auto told = run_for_json(arguments, usage);
      EXPECT_EQ(told.at("code"), "invalid_argument") << arguments.front();
      EXPECT_TRUE(contains(told.at("message").get<std::string>(), why)) << told;
    }
  }
  EXPECT_EQ(run_for_json({"list"}).at("threads").size(), 1U) << "nothing was written";
}

TEST_F(ThreadsCommand, lists_the_history_of_a_thread) {
  write(draft("1", "", "-1"));
  write(draft("2", "1", "0"));
  const auto table = run_on_store({"history", "ada"});
  EXPECT_TRUE(contains(table, "2           0     loop    2026-01-02 03:04:05 UTC             1\n"))
      << table;
  const auto page = run_for_json({"history", "ada", "--limit", "1"});
  EXPECT_EQ(page.at("checkpoints")[0].at("parent_checkpoint_id"), "1");
  const auto rest =
      run_for_json({"history", "ada", "--cursor", page.at("next").get<std::string>()});
  EXPECT_EQ(rest.at("checkpoints")[0].at("checkpoint_id"), "1");
  EXPECT_EQ(run_for_json({"history", "ada", "--all"}).at("checkpoints").size(), 2U);
}

TEST_F(ThreadsCommand, says_that_a_thread_is_not_there) {
  for (const auto* command : {"show", "history"}) {
    EXPECT_TRUE(contains(run_on_store({command, "nobody"}, failed), "`threadkeep threads list`"));
    EXPECT_EQ(run_for_json({command, "nobody"}, failed).at("code"), "not_found");
  }
  EXPECT_EQ(run_for_json({"copy", "nobody", "ada"}, failed).at("code"), "not_found");
}

TEST_F(ThreadsCommand, copies_a_thread) {
  write(draft("1", "", "-1"));
  EXPECT_EQ(run_on_store({"copy", "ada", "bob"}), "copied 1 checkpoint\n");
  EXPECT_EQ(run_for_json({"copy", "ada", "bob"}), Json({{"ok", true}, {"copied", 0}, {"kept", 1}}));
  EXPECT_TRUE(store->get({"bob", "", {}, {}}, {}));
  write(draft("2", "1", "0"));
  EXPECT_EQ(run_for_json({"copy", "bob", "ada"}, failed).at("code"), "conflict");
}

TEST_F(ThreadsCommand, deletes_only_after_a_yes) {
  write(draft("1", "", "-1"));
  EXPECT_TRUE(contains(run_on_store({"delete", "ada"}, usage), "say --yes"));
  EXPECT_EQ(run_for_json({"delete", "ada"}, usage).at("code"), "needs_yes");
  EXPECT_TRUE(store->get({"ada", "", {}, {}}, {}));
  EXPECT_EQ(run_on_store({"delete", "ada", "--yes"}), "ada: deleted 1 checkpoint\n");
  EXPECT_FALSE(store->get({"ada", "", {}, {}}, {}));
  EXPECT_EQ(run_on_store({"delete", "ada", "--yes"}), "ada: deleted 0 checkpoints\n");
}

}  // namespace
}  // namespace threadkeep
#endif
