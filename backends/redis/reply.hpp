// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "threadkeep/bytes.hpp"
#include "threadkeep/error.hpp"

struct redisReader;
struct redisReply;

namespace threadkeep::redis {

/// What a server answered to one command. Copies and parts share it. Const use is thread-safe. A
/// function that does not fit throws Error(corrupt).
class Reply {
 public:
  Reply() = default;
  explicit Reply(const std::shared_ptr<const redisReply>& reply);

  bool is_nil() const noexcept;
  bool is_error() const noexcept;
  bool is_text() const noexcept;
  bool is_integer() const noexcept;
  bool is_array() const noexcept;

  /// Of a bulk string, a status or an error. Valid while a copy of this reply lives.
  std::string_view view() const;
  std::string text() const { return std::string(view()); }
  /// The bytes of a bulk string from an offset on; long ones stay where they are.
  Bytes bytes(std::size_t offset) const;
  std::int64_t integer() const;
  /// Of an array.
  std::size_t size() const;
  Reply operator[](std::size_t index) const;

 private:
  Reply(std::shared_ptr<const redisReply> root, const redisReply* at);
  void expect(bool fits) const;

  std::shared_ptr<const redisReply> root_;
  const redisReply* at_ = nullptr;
};

/// Makes replies of the bytes of a connection. Not thread-safe.
class ReplyReader {
 public:
  ReplyReader();

  void feed(std::string_view bytes);
  /// The next reply, if all of it is there. Throws Error(unavailable) when the bytes are not of the
  /// protocol: the connection is of no use any more.
  std::optional<Reply> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace threadkeep::redis
