// SPDX-License-Identifier: Apache-2.0
// Mutations as bytes: what is written is read, and nothing else is.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "layers/mutation_codec.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::fallback_test {
namespace {

// Values of every kind, by chance.
class Chance {
 public:
  explicit Chance(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  bool flag() { return below(2) == 0; }
  std::string text() {
    static const std::vector<std::string> parts = {"a", "\xc3\xa4", "\"", "{}", "\n", "0", "\\"};
    std::string text;
    for (std::size_t n = below(6); n > 0; --n) text += parts[below(parts.size())];
    return text;
  }
  Bytes bytes() {
    std::string data(below(300), '\0');
    for (char& c : data) c = static_cast<char>(below(256));
    return Bytes(std::move(data));
  }
  template <class Make>
  auto some(Make make) {
    std::vector<decltype(make())> items;
    for (std::size_t n = below(4); n > 0; --n) items.push_back(make());
    return items;
  }
  std::optional<std::string> perhaps_text() {
    return flag() ? std::optional(text()) : std::nullopt;
  }
  std::optional<std::int64_t> perhaps_number() {
    return flag() ? std::optional(static_cast<std::int64_t>(random_()) << below(30)) : std::nullopt;
  }
  Blob blob() { return {text(), text(), text(), bytes()}; }
  PendingWrite write() {
    return {text(), static_cast<std::int32_t>(below(9)) - 4, text(), text(), text(), bytes()};
  }
  StateChange change() {
    return {text(), static_cast<StateChange::Kind>(below(3)), text(), perhaps_number()};
  }
  PutWrites put_writes() {
    return {text(), text(), text(), some([&] { return write(); })};
  }
  CheckpointTuple tuple() {
    return {text(),
            text(),
            text(),
            perhaps_text(),
            text(),
            text(),
            some([&] { return blob(); }),
            some([&] { return write(); })};
  }
  LaneBase base() {
    LaneBase base{flag() ? StateScope::of_thread(text()) : StateScope::named(text()),
                  flag(),
                  {},
                  some([&] { return put_writes(); })};
    for (std::size_t n = below(3); n > 0; --n) {
      base.latest[text()] = flag() ? std::optional(tuple()) : std::nullopt;
    }
    base.hollow = {text()};
    return base;
  }
  Mutation mutation(std::size_t kind) {
    const auto texts = [&] { return some([&] { return text(); }); };
    switch (kind) {
      case 0:
        return PutCheckpoint{
            text(), text(), text(), perhaps_text(), text(), text(), some([&] { return blob(); }),
            flag()};
      case 1:
        return put_writes();
      case 2:
        return PutThread{text(), text()};
      case 3:
        return DeleteThread{text()};
      case 4:
        return DeleteRuns{texts()};
      case 5:
        return CopyThread{text(), text()};
      case 6:
        return Prune{text()};
      case 7:
        return AppendMessages{text(),
                              text(),
                              some([&] {
                                return NewMessage{text(), text(), text(), text()};
                              }),
                              some([&] { return change(); }),
                              text(),
                              perhaps_number()};
      case 8:
        return UpdateMessage{text(), text(), perhaps_text(), perhaps_text(), perhaps_number()};
      case 9:
        return RemoveMessages{text(), texts()};
      case 10:
        return PopMessages{text(), text(), below(1000), text()};
      case 11:
        return ClearMessages{text(), perhaps_text()};
      default:
        return ChangeState{StateScope::named(text()), some([&] { return change(); })};
    }
  }

 private:
  std::mt19937 random_;
};

Code code_of(std::string_view bytes) {
  try {
    decode_journal_body(bytes);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "it was read";
  return Code::internal;
}

TEST(MutationCodec, reads_what_it_wrote) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Chance chance(seed);
  for (int round = 0; round < 200; ++round) {
    for (std::size_t kind = 0; kind < std::variant_size_v<Mutation>; ++kind) {
      const Mutation mutation = chance.mutation(kind);
      ASSERT_EQ(mutation.index(), kind);
      const Bytes bytes = encode(mutation);
      const auto read = std::get<Mutation>(decode_journal_body(bytes.view()));
      ASSERT_EQ(read.index(), kind);
      ASSERT_EQ(encode(read), bytes) << operation_name(mutation);
    }
    const LaneBase base = chance.base();
    const Bytes bytes = encode(base);
    ASSERT_EQ(encode(std::get<LaneBase>(decode_journal_body(bytes.view()))), bytes);
  }
}

// Equal bytes would not show a member that is left out of both ways.
TEST(MutationCodec, keeps_every_member) {
  const PutCheckpoint put{"t", "n", "2", "1", "{}", "[]", {{"c", "v", "y", Bytes("d")}}, true};
  const auto read = std::get<PutCheckpoint>(
      std::get<Mutation>(decode_journal_body(encode(Mutation(put)).view())));
  EXPECT_EQ(std::tie(read.thread_id, read.checkpoint_ns, read.checkpoint_id, read.document,
                     read.metadata, read.require_latest_parent),
            std::tie(put.thread_id, put.checkpoint_ns, put.checkpoint_id, put.document,
                     put.metadata, put.require_latest_parent));
  EXPECT_EQ(read.parent_checkpoint_id, put.parent_checkpoint_id);
  EXPECT_EQ(read.blobs, put.blobs);
  const PutWrites writes{"t", "n", "2", {{"k", -3, "c", "p", "y", Bytes("d")}}};
  const auto again =
      std::get<PutWrites>(std::get<Mutation>(decode_journal_body(encode(Mutation(writes)).view())));
  EXPECT_EQ(again.writes, writes.writes);
}

TEST(MutationCodec, refuses_what_is_damaged) {
  Chance chance(7);
  const Bytes bytes = encode(chance.mutation(0));
  const std::string text(bytes.view());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(code_of(std::string_view(text).substr(0, size)), Code::corrupt);
  }
  EXPECT_EQ(code_of(text + "x"), Code::corrupt);
}

std::string cbor(const nlohmann::json& json) {
  std::string text;
  nlohmann::json::to_cbor(json, text);
  return text;
}

TEST(MutationCodec, refuses_other_forms) {
  using nlohmann::json;
  const json good = json::array({1, "delete_thread", {{"thread_id", "t"}}});
  EXPECT_NO_THROW(decode_journal_body(cbor(good)));
  for (const json& bad : {
           json("text"),
           json::array({2, "delete_thread", {{"thread_id", "t"}}}),
           json::array({1, "unheard_of", {{"thread_id", "t"}}}),
           json::array({1, "delete_thread", json::object()}),
           json::array({1, "delete_thread", {{"thread_id", 7}}}),
           json::array({1, "delete_thread", {{"thread_id", "\xff"}}}),
           json::array({1, "delete_thread", {{"thread_id", "t"}, {"more", 1}}}),
           json::array({1, "delete_thread", {{"thread_id", "t"}}, 1}),
           json::array({1,
                        "pop_messages",
                        {{"thread_id", "t"}, {"stream", ""}, {"count", -1}, {"operation_id", ""}}}),
       }) {
    EXPECT_EQ(code_of(cbor(bad)), Code::corrupt)
        << bad.dump(-1, ' ', true, json::error_handler_t::replace);
  }
}

TEST(MutationCodec, is_not_led_into_the_depth) {
  EXPECT_EQ(code_of(std::string(1'000'000, '\x81')), Code::corrupt);
}

}  // namespace
}  // namespace threadkeep::fallback_test
