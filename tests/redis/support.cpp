// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <stdexcept>

namespace threadkeep::redis_test {

Checkpointer open_store(const std::string& url) {
  return Checkpointer(open(url));
}

SessionStore open_sessions(const std::string& url) {
  return SessionStore(open(url));
}

AppendMessages messages_for(const std::string& thread_id, const std::vector<std::string>& ids) {
  AppendMessages append;
  append.thread_id = thread_id;
  for (const auto& id : ids) append.messages.push_back({id, "user", "1", "{}"});
  return append;
}

MessageList messages_of(const std::string& thread_id, std::size_t limit) {
  MessageList list;
  list.thread_id = thread_id;
  list.limit = limit;
  return list;
}

StateList documents_of(const StateScope& scope) {
  StateList list;
  list.scope = scope;
  return list;
}

CheckpointList of_thread(const std::string& thread_id, std::size_t limit,
                         const std::string& cursor) {
  CheckpointList query;
  query.thread_id = thread_id;
  query.limit = limit;
  query.cursor = cursor;
  return query;
}

Written prune(Checkpointer& store, const std::string& thread_id) {
  return store.prune(std::vector{thread_id}, PruneStrategy::keep_latest);
}

Health health_of(const std::string& url) {
  return open(url)->ping({});
}

std::string fresh_url(const std::string& parameters) {
  static std::atomic<int> stores = 0;
  return RedisServer::shared().url("prefix=test" + std::to_string(++stores) +
                                   (parameters.empty() ? "" : "&" + parameters));
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "an error was expected";
  return Error(Code::internal, "none");
}

Code code_of(const std::function<void()>& call) {
  return error_of(call).code();
}

void expect_works(const std::string& url) {
  auto store = open_store(url);
  store.put(Draft("t", "1").value("a", "1", "x"));
  EXPECT_EQ(store.get({"t", "", {}, {}})->values.size(), 1U) << url;
  store.delete_thread("t");
}

void expect_refused(const std::string& url, Code code, const std::string& part) {
  const Error error = error_of([&] { open_store(url).put(Draft("t", "1")); });
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_NE(error.message().find(part), std::string::npos) << error.what();
}

void expect_told_by_ping(const std::string& url, const std::string& part) {
  const auto detail = health_of(url).detail;
  EXPECT_NE(detail.find(part), std::string::npos) << detail;
}

RawClient::RawClient(const RedisServer& server)
    : context_(redisConnectUnix(server.socket().c_str())) {
  if (context_ == nullptr || context_->err != 0) throw std::runtime_error("cannot connect");
}

RawClient::~RawClient() {
  redisFree(context_);
}

namespace {

void flatten(const redisReply& reply, std::vector<std::string>& words) {
  switch (reply.type) {
    case REDIS_REPLY_ARRAY:
      for (std::size_t i = 0; i < reply.elements; ++i) flatten(*reply.element[i], words);
      return;
    case REDIS_REPLY_INTEGER:
      words.push_back(std::to_string(reply.integer));
      return;
    case REDIS_REPLY_NIL:
      words.emplace_back("(nil)");
      return;
    default:
      words.emplace_back(reply.str, static_cast<std::size_t>(reply.len));
  }
}

}  // namespace

std::vector<std::string> RawClient::run(const std::vector<std::string>& command) {
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  for (const auto& word : command) {
    arguments.push_back(word.data());
    sizes.push_back(word.size());
  }
  void* raw = redisCommandArgv(context_, static_cast<int>(arguments.size()), arguments.data(),
                               sizes.data());
  if (raw == nullptr) throw std::runtime_error(std::string("lost the server: ") + context_->errstr);
  const std::unique_ptr<redisReply, void (*)(void*)> reply(static_cast<redisReply*>(raw),
                                                           freeReplyObject);
  std::vector<std::string> words;
  flatten(*reply, words);
  return words;
}

std::string RawClient::value(const std::vector<std::string>& command) {
  const auto words = run(command);
  if (words.size() != 1) throw std::runtime_error("one word was expected of " + command.front());
  return words.front();
}

std::vector<std::string> RawClient::keys(const std::string& pattern) {
  return run({"KEYS", pattern});
}

std::map<std::string, std::int64_t> RawClient::lifetimes(const std::string& pattern) {
  // From one moment, so that equal deadlines give equal lifetimes.
  const auto words =
      run({"EVAL",
           "local function now() local t = redis.call('TIME') "
           "return t[1] * 1000 + math.floor(t[2] / 1000) end "
           "local keys, found, at = redis.call('KEYS', ARGV[1]) "
           "repeat at, found = now(), {} for _, key in ipairs(keys) do "
           "found[#found + 1] = key; found[#found + 1] = redis.call('PTTL', key) end "
           "until now() == at return found",
           "0", pattern});
  std::map<std::string, std::int64_t> lifetimes;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    lifetimes[words[i]] = std::stoll(words[i + 1]);
  }
  return lifetimes;
}

bool has_waitaof(const RedisServer& server) {
  return RawClient(server).run({"WAITAOF", "0", "0", "1"}).size() == 2;
}

std::string padded(int number) {
  const std::string digits = std::to_string(number);
  return std::string(8 - digits.size(), '0') + digits;
}

std::int64_t RawClient::calls(const std::string& command) {
  const auto statistics = value({"INFO", "commandstats"});
  const auto mark = "cmdstat_" + command + ":calls=";
  const auto at = statistics.find(mark);
  return at == std::string::npos ? 0 : std::stoll(statistics.substr(at + mark.size()));
}

namespace {

[[noreturn]] void run_child(int number, const std::function<void(int)>& body) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    body(number);
    _exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "process %d: %s\n", number, error.what());
  }
  _exit(1);
}

}  // namespace

void run_processes(int count, const std::function<void(int)>& body) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) run_child(i, body);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

}  // namespace threadkeep::redis_test
