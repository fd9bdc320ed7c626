// SPDX-License-Identifier: Apache-2.0
//
// Messages and state: two turns of a chat, read back in pages, with a preference beside them.
//
//   sessions [URL]

#include <iostream>
#include <threadkeep/threadkeep.hpp>

using namespace threadkeep;

// [snippet append]
void say(SessionStore& store, const std::string& turn, const std::string& question,
         const std::string& answer) {
  AppendMessages append;
  append.thread_id = "chat";
  append.operation_id = turn;  // Sent again, it changes nothing.
  append.messages = {{"", "user", question, R"({"lang": "en"})"}, {"", "assistant", answer, "{}"}};
  append.state = {{"last_turn", StateChange::Kind::put, "\"" + turn + "\"", {}}};
  store.append(append);
}
// [/snippet append]

// [snippet pages]
void show_questions(SessionStore& store) {
  MessageList list;
  list.thread_id = "chat";
  list.filter = Filter::all_of(
      {Filter::eq({"role"}, "\"user\""), Filter::in({"metadata", "lang"}, {"\"en\"", "\"de\""})});
  list.limit = 1;
  do {
    const auto page = store.messages(list);
    for (const auto& message : page.items)
      std::cout << message.seq << " " << message.content << "\n";
    list.cursor = page.next;
  } while (!list.cursor.empty());
}
// [/snippet pages]

// [snippet state]
void count_visit(SessionStore& store) {
  const auto scope = StateScope::named("user:ada");
  for (;;) {
    const auto visits = store.state({scope, "visits"});
    const int count = visits ? std::stoi(visits->value) : 0;
    try {
      store.put_state(scope, "visits", std::to_string(count + 1), visits ? visits->version : 0);
      return;
    } catch (const Error& error) {
      if (error.code() != Code::conflict) throw;  // Somebody else was first: read it again.
    }
  }
}
// [/snippet state]

int main(int argc, char** argv) try {
  SessionStore store(open(argc > 1 ? argv[1] : "sqlite:chat.db"));
  say(store, "turn 1", "\"My name is Ada.\"", "\"Hello Ada.\"");
  say(store, "turn 2", "\"What is my name?\"", "\"Your name is Ada\"");
  say(store, "turn 2", "\"What is my name?\"", "\"Your name is Ada\"");
  show_questions(store);
  count_visit(store);
  for (const auto& message : store.tail({"chat", "", 10, {}})) {
    std::cout << message.seq << " " << message.role << ": " << message.content << "\n";
  }
  std::cout << store.thread({"chat"})->revision << " changes\n";
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
