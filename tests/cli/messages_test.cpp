// SPDX-License-Identifier: Apache-2.0
// `threadkeep messages` and `threadkeep state`, as a person or a script runs them.
#include <nlohmann/json.hpp>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep {
namespace {

using Json = nlohmann::json;

class SessionCommands : public Cli {
 protected:
  // What every test finds in the store: two streams, a document of the thread and one of a name.
  void fill(const std::string& place) {
    place_ = place;
    SessionStore sessions(open(place));
    append(sessions, "", {{"m1", "user", R"("How is\nthe weather?")", R"({"lang": "en"})"}});
    append(sessions, "", {{"m2", "assistant", R"({"text": [1, 2]})", "{}"}});
    append(sessions, "", {{"m3", "user", R"("Thanks.")", "{}"}});
    append(sessions, "notes", {{"n1", "user", R"("a note")", "{}"}});
    sessions.put_state(StateScope::of_thread("ada"), "last_turn", R"({"turn": 1.0})");
    sessions.put_state(StateScope::of_thread("ada"), "name", R"("Ada")");
    sessions.put_state(StateScope::named("user:ada"), "visits", "12");
  }

  static void append(SessionStore& sessions, const std::string& stream,
                     std::vector<NewMessage> messages) {
    sessions.append({"ada", stream, std::move(messages), {}, {}, {}});
  }

  std::string run_on_store(Arguments arguments, int status = done) {
    arguments.insert(arguments.end(), {"--url", place_});
    return run(arguments, status);
  }
  Json run_for_json(Arguments arguments, int status = done) {
    arguments.emplace_back("--json");
    return Json::parse(run_on_store(arguments, status));
  }
  std::string ids(const Arguments& arguments) {
    std::string text;
    const Json page = run_for_json(arguments);
    for (const auto& message : page.at("messages")) {
      text += message.at("id").get<std::string>() + " ";
    }
    return text;
  }

  // The same on every kind of store.
  void expect_listed(const std::string& place) {
    fill(place);
    const auto listed = run_on_store({"messages", "list", "ada"});
    EXPECT_EQ(listed.find("1  user  20"), 0U) << listed;
    EXPECT_TRUE(contains(listed, " UTC  m1\n    How is\n    the weather?\n2  assistant  "))
        << listed;
    EXPECT_TRUE(contains(listed, " UTC  m2\n    {\"text\": [1, 2]}\n3  user  ")) << listed;
    EXPECT_EQ(ids({"messages", "list", "ada", "--tail", "2"}), "m2 m3 ");
    EXPECT_EQ(ids({"messages", "list", "ada", "--stream", "notes"}), "n1 ");
    EXPECT_EQ(run_on_store({"state", "get", "ada"}),
              "KEY        VERSION  VALUE\n"
              "last_turn  1        {\"turn\": 1.0}\n"
              "name       1        \"Ada\"\n");
    EXPECT_EQ(run_on_store({"state", "get", "ada", "last_turn"}),
              "last_turn  version 1\n    {\"turn\": 1.0}\n");
    EXPECT_EQ(run_for_json({"state", "get", "user:ada", "visits", "--named"}),
              Json({{"key", "visits"}, {"version", 1}, {"value", 12}}));
    EXPECT_EQ(run_for_json({"messages", "list", "nobody"}, failed).at("code"), "not_found");
    EXPECT_EQ(run_for_json({"state", "get", "nobody"}, failed).at("code"), "not_found");
  }

  std::string place_;
};

#ifdef THREADKEEP_TEST_SQLITE
TEST_F(SessionCommands, show_messages_and_state_of_a_file) {
  expect_listed(url);
}

TEST_F(SessionCommands, list_messages_page_by_page) {
  fill(url);
  const auto first = run_for_json({"messages", "list", "ada", "--limit", "2"});
  EXPECT_EQ(first.at("messages").size(), 2U);
  const auto cursor = first.at("next").get<std::string>();
  EXPECT_EQ(ids({"messages", "list", "ada", "--cursor", cursor}), "m3 ");
  EXPECT_TRUE(contains(run_on_store({"messages", "list", "ada", "--limit", "2"}),
                       "\nmore: --cursor " + cursor + "\n"));
  EXPECT_EQ(ids({"messages", "list", "ada", "--all"}), "m1 m2 m3 ");
  EXPECT_EQ(ids({"messages", "list", "ada", "--after", "1"}), "m2 m3 ");
  EXPECT_EQ(
      run_for_json({"messages", "list", "ada", "--stream", "notes", "--cursor", cursor}, usage)
          .at("code"),
      "invalid_argument");
  for (const auto* option : {"--limit", "--cursor", "--after"}) {
    run_on_store({"messages", "list", "ada", "--tail", "1", option, "1"}, usage);
  }
}

TEST_F(SessionCommands, give_programs_everything_of_a_message) {
  fill(url);
  auto message = run_for_json({"messages", "list", "ada", "--limit", "1"}).at("messages")[0];
  EXPECT_GT(message.at("created_at"), 1'700'000'000'000'000);
  message.erase("created_at");
  EXPECT_EQ(message, Json({{"stream", ""},
                           {"seq", 1},
                           {"id", "m1"},
                           {"role", "user"},
                           {"content", "How is\nthe weather?"},
                           {"metadata", {{"lang", "en"}}},
                           {"version", 1}}));
}

TEST_F(SessionCommands, say_what_a_message_has_become) {
  fill(url);
  SessionStore(open(url)).update({"ada", "m3", R"("Thank you.")", {}, {}});
  EXPECT_TRUE(contains(run_on_store({"messages", "list", "ada", "--tail", "1"}),
                       " UTC  m3  version 2\n    Thank you.\n"));
}

TEST_F(SessionCommands, list_documents_page_by_page) {
  fill(url);
  const auto first = run_for_json({"state", "get", "ada", "--limit", "1"});
  EXPECT_EQ(first.at("documents")[0],
            Json({{"key", "last_turn"}, {"version", 1}, {"value", {{"turn", 1.0}}}}));
  const auto cursor = first.at("next").get<std::string>();
  const auto rest = run_for_json({"state", "get", "ada", "--cursor", cursor});
  EXPECT_EQ(rest.at("documents")[0].at("key"), "name");
  EXPECT_EQ(rest.at("next"), "");
  EXPECT_EQ(run_for_json({"state", "get", "ada", "--all"}).at("documents").size(), 2U);
  EXPECT_EQ(run_for_json({"state", "get", "user:ada", "--named"}).at("documents").size(), 1U);
}

TEST_F(SessionCommands, say_what_is_not_there) {
  fill(url);
  open(url)->write(PutThread{"bob", "{}"}, {});
  EXPECT_EQ(run_on_store({"messages", "list", "bob"}),
            "no messages in the default stream of thread 'bob'\n");
  EXPECT_EQ(run_on_store({"messages", "list", "ada", "--stream", "x"}),
            "no messages in stream 'x' of thread 'ada'; there are some in the default stream, "
            "stream 'notes'\n");
  EXPECT_TRUE(contains(run_on_store({"messages", "list", "ada", "--after", "9"}), " after 9;"));
  EXPECT_EQ(run_on_store({"state", "get", "bob"}), "no documents in the state of thread 'bob'\n");
  EXPECT_EQ(run_on_store({"state", "get", "x", "--named"}),
            "no documents in the state of scope 'x'\n");
  EXPECT_EQ(run_for_json({"messages", "list", "bob"}),
            Json({{"messages", Json::array()}, {"next", ""}}));
  EXPECT_EQ(run_for_json({"state", "get", "bob"}),
            Json({{"documents", Json::array()}, {"next", ""}}));
}

TEST_F(SessionCommands, refuse_a_thread_or_document_that_is_not_there_with_a_remedy) {
  fill(url);
  for (const Arguments& arguments :
       {Arguments{"messages", "list", "nobody"}, Arguments{"state", "get", "nobody"},
        Arguments{"state", "get", "nobody", "name"}}) {
    const auto output = run_on_store(arguments, failed);
    EXPECT_TRUE(contains(output, "thread 'nobody' in " + url)) << output;
    EXPECT_TRUE(contains(output, "`threadkeep threads list`")) << output;
  }
  for (const Arguments& arguments :
       {Arguments{"state", "get", "ada", "x"}, Arguments{"state", "get", "ada", "x", "--named"}}) {
    EXPECT_TRUE(contains(run_on_store(arguments, failed), "no document 'x' in the state of "));
    EXPECT_EQ(run_for_json(arguments, failed).at("code"), "not_found");
  }
  run_on_store({"state", "get", "ada", "name", "--all"}, usage);
}

TEST_F(SessionCommands, a_thread_is_shown_with_how_much_there_is) {
  fill(url);
  const auto shown = run_on_store({"threads", "show", "ada"});
  EXPECT_TRUE(contains(shown,
                       "\nmessages 4 in 2 streams: `threadkeep messages list` shows them\n"
                       "state of 2 documents: `threadkeep state get` shows it\n"))
      << shown;
  const auto report = run_for_json({"threads", "show", "ada"});
  EXPECT_EQ(report.at("messages"), 4);
  EXPECT_EQ(report.at("streams"), 2);
  EXPECT_EQ(report.at("documents"), 2);
  run_on_store({"threads", "show", "ada", "--namespace", "x"}, failed);
  open(url)->write(PutThread{"bob", "{}"}, {});
  run_on_store({"threads", "show", "bob"}, failed);
}

TEST_F(SessionCommands, show_hostile_text_as_escapes) {
  place_ = url;
  SessionStore sessions(open(url));
  const std::string evil = "\x1b[2J\x1b]0;owned\x07";
  AppendMessages append{evil, evil, {}, {}, {}, {}};
  append.messages = {{evil, evil, R"("\u001b[2J\r\u202e\u009b")", "{}"}};
  sessions.append(append);
  sessions.put_state(StateScope::of_thread(evil), evil, R"("\u001b[2J")");
  for (const Arguments& arguments :
       {Arguments{"messages", "list", evil, "--stream", evil}, Arguments{"messages", "list", evil},
        Arguments{"state", "get", evil}, Arguments{"state", "get", evil, evil},
        Arguments{"state", "get", evil, "x" + evil}, Arguments{"state", "get", "x" + evil}}) {
    const bool is_there = arguments.back() == evil;
    const auto output = run_on_store(arguments, is_there ? done : failed);
    for (const char* harm : {"\x1b", "\x07", "\r", "\xe2\x80\xae", "\xc2\x9b"}) {
      EXPECT_FALSE(contains(output, harm)) << output;
    }
  }
}
#endif

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(SessionCommands, show_messages_and_state_of_a_schema) {
  auto& server = testing::PostgresServer::shared();
  expect_listed(server.url(server.create_database()));
}
#endif

#ifdef THREADKEEP_TEST_REDIS
TEST_F(SessionCommands, show_messages_and_state_of_a_prefix) {
  expect_listed(testing::RedisServer::shared().url("prefix=listed"));
}
#endif

}  // namespace
}  // namespace threadkeep
