// SPDX-License-Identifier: Apache-2.0
#include "reply.hpp"

#include <hiredis/hiredis.h>

#include <new>

namespace threadkeep::redis {

namespace {

// A short value does not keep the whole reply in memory.
constexpr std::size_t share_from = 4 * 1024;

std::string_view view_of(const redisReply& reply) {
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

}  // namespace

Reply::Reply(const std::shared_ptr<const redisReply>& reply) : Reply(reply, reply.get()) {}

Reply::Reply(std::shared_ptr<const redisReply> root, const redisReply* at)
    : root_(std::move(root)), at_(at) {}

bool Reply::is_nil() const noexcept {
  return at_ == nullptr || at_->type == REDIS_REPLY_NIL;
}

bool Reply::is_error() const noexcept {
  return at_ != nullptr && at_->type == REDIS_REPLY_ERROR;
}

bool Reply::is_text() const noexcept {
  return at_ != nullptr && (at_->type == REDIS_REPLY_STRING || at_->type == REDIS_REPLY_STATUS);
}

bool Reply::is_integer() const noexcept {
  return at_ != nullptr && at_->type == REDIS_REPLY_INTEGER;
}

bool Reply::is_array() const noexcept {
  return at_ != nullptr && at_->type == REDIS_REPLY_ARRAY;
}

void Reply::expect(bool fits) const {
  if (!fits) throw Error(Code::corrupt, "the server gave an answer of an unexpected kind");
}

std::string_view Reply::view() const {
  expect(is_text() || is_error());
  return view_of(*at_);
}

Bytes Reply::bytes(std::size_t offset) const {
  const auto content = view().substr(offset);
  return content.size() < share_from ? Bytes::copy(content) : Bytes::share(root_, content);
}

std::int64_t Reply::integer() const {
  expect(is_integer());
  return at_->integer;
}

std::size_t Reply::size() const {
  expect(is_array());
  return at_->elements;
}

Reply Reply::operator[](std::size_t index) const {
  expect(is_array() && index < at_->elements);
  return {root_, at_->element[index]};
}

void ReplyReader::Free::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
}

void ReplyReader::feed(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    throw Error(Code::unavailable, "the answer of the server cannot be read");
  }
}

std::optional<Reply> ReplyReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
    throw Error(Code::unavailable, "the server does not speak the protocol of Redis here");
  }
  if (raw == nullptr) return {};
  return Reply(std::shared_ptr<const redisReply>(
      static_cast<redisReply*>(raw), [](redisReply* reply) { freeReplyObject(reply); }));
}

}  // namespace threadkeep::redis
