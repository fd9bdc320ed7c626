// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "backends_under_test.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep {
namespace {

using testing::BackendSpec;
using testing::Draft;
using testing::pending;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

class BadInput : public ::testing::TestWithParam<BackendSpec> {
 protected:
  const std::shared_ptr<Store> store = GetParam().make(Environment::system());

  // The error names the field, and the store is as empty as before.
  void expect_refused(Mutation mutation, const std::string& field) {
    try {
      store->write(std::move(mutation), Call());
      ADD_FAILURE() << field << " was stored";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
      EXPECT_NE(error.message().find(field), std::string::npos) << error.what();
      EXPECT_LT(error.message().size(), 2000U) << "it repeats what it refuses";
    }
    EXPECT_TRUE(store->threads({}, Call()).items.empty());
    EXPECT_TRUE(store->list({}, Call()).items.empty());
  }
  CheckpointTuple latest(const std::string& thread_id) {
    const auto found = store->get({thread_id, "", {}, {}}, Call());
    if (!found) throw std::runtime_error("nothing is stored");
    return *found;
  }
};

std::string nested(std::size_t levels, char open, char close) {
  return std::string(levels, open) + std::string(levels, close);
}

std::string deep_object(std::size_t levels) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += "{\"a\":";
  return text + "1" + std::string(levels, '}');
}

PutCheckpoint with_document(std::string document) {
  PutCheckpoint put = Draft("t", "1");
  put.document = std::move(document);
  return put;
}

// A draft could not spell these.
PutCheckpoint with(const std::function<void(PutCheckpoint&)>& change) {
  PutCheckpoint put = Draft("t", "1");
  change(put);
  return put;
}

TEST_P(BadInput, that_is_nested_too_deeply_is_refused) {
  const std::string deep = deep_object(100'000);
  expect_refused(with_document(deep), "document");
  expect_refused(with_document("{\"a\":" + nested(100'000, '[', ']') + "}"), "document");
  expect_refused(with_document(std::string(mebibyte, '[')), "document");
  expect_refused(static_cast<PutCheckpoint>(Draft("t", "1").metadata(deep)), "metadata");
  expect_refused(PutThread{"t", deep}, "metadata");
  if (!store->capabilities().sessions) return;
  expect_refused(AppendMessages{"t", "", {{"", "user", deep}}, {}, "", {}}, "content");
  expect_refused(ChangeState{StateScope::of_thread("t"), {{"k", StateChange::Kind::put, deep, {}}}},
                 "state");
}

TEST_P(BadInput, that_is_no_text_is_refused_wherever_it_stands) {
  for (const std::string& bad :
       {std::string("a\0b", 3), std::string("\xff"), std::string("\xed\xa0\x80"),
        std::string("\xc0\xaf"), std::string("\xf4\x90\x80\x80"), std::string("\xe2\x82")}) {
    expect_refused(with([&](auto& put) { put.thread_id = bad; }), "thread_id");
    expect_refused(with([&](auto& put) { put.checkpoint_id = bad; }), "checkpoint_id");
    expect_refused(with([&](auto& put) { put.checkpoint_ns = bad; }), "checkpoint_ns");
    expect_refused(with([&](auto& put) { put.parent_checkpoint_id = bad; }), "parent");
    expect_refused(with_document("{\"a\":\"" + bad + "\"}"), "document");
    expect_refused(PutWrites{"t", "", "1", {pending(bad, 0, "c", "x")}}, "task_id");
    expect_refused(PutWrites{"t", "", "1", {pending("t", 0, bad, "x")}}, "channel");
    expect_refused(PutThread{"t", "{\"a\":\"" + bad + "\"}"}, "metadata");
  }
}

// In each place of a session, under the name of its field.
TEST_P(BadInput, that_is_no_id_of_a_session_is_refused_wherever_it_stands) {
  if (!store->capabilities().sessions) return;
  const auto of_t = StateScope::of_thread("t");
  for (const std::string& bad : {std::string("a\0b", 3), std::string("\xff"),
                                 std::string("\xed\xa0\x80"), std::string(max_id_bytes + 1, 'x')}) {
    expect_refused(AppendMessages{bad, "", {{"", "user", "1"}}, {}, "", {}}, "thread_id");
    expect_refused(AppendMessages{"t", bad, {{"", "user", "1"}}, {}, "", {}}, "stream");
    expect_refused(AppendMessages{"t", "", {{bad, "user", "1"}}, {}, "", {}}, "id");
    expect_refused(AppendMessages{"t", "", {{"", bad, "1"}}, {}, "", {}}, "role");
    expect_refused(AppendMessages{"t", "", {{"", "user", "1"}}, {}, bad, {}}, "operation_id");
    expect_refused(PopMessages{"t", bad, 1, ""}, "stream");
    expect_refused(UpdateMessage{"t", bad, "1", {}, {}}, "id");
    expect_refused(RemoveMessages{"t", {bad}}, "message id");
    expect_refused(ChangeState{of_t, {{bad, StateChange::Kind::put, "1", {}}}}, "key");
    expect_refused(ChangeState{StateScope::named(bad), {{"k", StateChange::Kind::put, "1", {}}}},
                   "scope");
  }
}

TEST_P(BadInput, that_is_too_long_is_refused_wherever_it_stands) {
  const std::string bad(max_id_bytes + 1, 'x');
  expect_refused(static_cast<PutCheckpoint>(Draft(bad, "1")), "thread_id");
  expect_refused(static_cast<PutCheckpoint>(Draft("t", bad)), "checkpoint_id");
  expect_refused(static_cast<PutCheckpoint>(Draft("t", "1").ns(bad)), "checkpoint_ns");
  expect_refused(static_cast<PutCheckpoint>(Draft("t", "1").value(bad, "1", "x")), "channel");
  expect_refused(static_cast<PutCheckpoint>(Draft("t", "1").value("c", bad, "x")), "version");
  expect_refused(PutWrites{"t", "", "1", {pending(bad, 0, "c", "x")}}, "task_id");
  expect_refused(PutWrites{"t", "", "1", {pending("t", 0, bad, "x")}}, "channel");
}

// What means something to SQL, Redis, shells, file systems or formats of text.
const std::vector<std::string>& hostile() {
  static const std::vector<std::string> texts = {"'; DROP TABLE checkpoints; --",
                                                 "\"; DELETE FROM checkpoints; --",
                                                 "$1",
                                                 "%s%n",
                                                 "?",
                                                 "\\'; --",
                                                 "{thread}",
                                                 "a}b{c",
                                                 "*",
                                                 "[a-z]",
                                                 "\r\nFLUSHALL\r\n",
                                                 "$6\r\nfoobar\r\n",
                                                 "../../etc/passwd",
                                                 "..",
                                                 "/",
                                                 "C:\\x",
                                                 "`id`",
                                                 "$(id)",
                                                 "a\tb",
                                                 "\x01\x7f",
                                                 "\u202e",
                                                 "\u0301",
                                                 "NULL",
                                                 "null",
                                                 "true",
                                                 "-0",
                                                 "1e400",
                                                 "a%00b",
                                                 "<!-- -->",
                                                 ":",
                                                 "::",
                                                 "\\x00",
                                                 "\\u0000",
                                                 "tk:threads"};
  return texts;
}

TEST_P(BadInput, that_means_something_elsewhere_is_stored_as_it_is) {
  for (const std::string& text : hostile()) {
    const std::string quoted = testing::json_string(text);
    PutCheckpoint put = Draft(text, text)
                            .ns(text)
                            .value(text, text, text)
                            .metadata("{" + quoted + ":" + quoted + "}");
    store->write(put, Call());
    store->write(PutWrites{text, text, text, {pending(text, 0, text, text, text)}}, Call());
    const auto found = store->get({text, text, text, {}}, Call());
    ASSERT_TRUE(found) << text;
    EXPECT_TRUE(json_equal(found->document, put.document)) << text;
    ASSERT_EQ(found->values.size(), 1U) << text;
    EXPECT_EQ(found->values[0], put.blobs[0]) << text;
    ASSERT_EQ(found->writes.size(), 1U) << text;
    EXPECT_EQ(found->writes[0], pending(text, 0, text, text, text)) << text;
    CheckpointList list;
    list.filter = {{text, quoted}};
    EXPECT_EQ(store->list(list, Call()).items.size(), 1U) << text;
  }
  ThreadList all;
  all.limit = 1000;
  EXPECT_EQ(store->threads(all, Call()).items.size(), hostile().size());
  for (const std::string& text : hostile()) store->write(DeleteThread{text}, Call());
  EXPECT_TRUE(store->threads({}, Call()).items.empty());
}

TEST_P(BadInput, that_means_something_elsewhere_is_a_session_as_any_other) {
  if (!store->capabilities().sessions) return;
  for (const std::string& text : hostile()) {
    SCOPED_TRACE(text);
    const std::string quoted = testing::json_string(text);
    const auto of_text = StateScope::of_thread(text);
    store->write(AppendMessages{text, text, {{text, text, quoted}}, {}, text, {}}, Call());
    store->write(ChangeState{of_text, {{text, StateChange::Kind::put, quoted, {}}}}, Call());
    const auto message = store->message({text, text}, Call());
    ASSERT_TRUE(message);
    EXPECT_TRUE(json_equal(message->content, quoted));
    EXPECT_EQ(message->role, text);
    EXPECT_EQ(store->streams({text}, Call()), std::vector{text});
    const auto document = store->state({of_text, text}, Call());
    ASSERT_TRUE(document);
    EXPECT_TRUE(json_equal(document->value, quoted));
    MessageList list;
    list.thread_id = text;
    list.stream = text;
    list.filter = Filter::eq({"role"}, quoted);
    EXPECT_EQ(store->messages(list, Call()).items.size(), 1U);
  }
  for (const std::string& text : hostile()) {
    store->write(RemoveMessages{text, {text}}, Call());
    EXPECT_FALSE(store->message({text, text}, Call())) << text;
    store->write(DeleteThread{text}, Call());
  }
  EXPECT_TRUE(store->threads({}, Call()).items.empty());
}

TEST_P(BadInput, that_is_large_is_stored_whole) {
  const std::string metadata = "{\"a\":\"" + std::string(10 * mebibyte, 'x') + "\"}";
  store->write(static_cast<PutCheckpoint>(Draft("t", "1").metadata(metadata)), Call());
  EXPECT_TRUE(json_equal(latest("t").metadata, metadata));
}

INSTANTIATE_TEST_SUITE_P(, BadInput, ::testing::ValuesIn(testing::built_backends()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace threadkeep
