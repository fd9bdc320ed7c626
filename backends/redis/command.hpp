// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace threadkeep::redis {

/// An argument in two pieces, so that a value can be sent from where it lies with a few bytes
/// before it. Long pieces are referred to and must live until they were sent.
struct Argument {
  Argument(std::string_view text) : begin(text) {}    // NOLINT(google-explicit-constructor)
  Argument(const std::string& text) : begin(text) {}  // NOLINT(google-explicit-constructor)
  Argument(const char* text) : begin(text) {}         // NOLINT(google-explicit-constructor)
  Argument(std::string_view first, std::string_view second) : begin(first), end(second) {}

  std::size_t size() const noexcept { return begin.size() + end.size(); }

  std::string_view begin;
  std::string_view end;
};

/// Commands to be sent at once, in the format of the protocol (RESP). It is written here and not by
/// hiredis, which would copy every value. Not thread-safe.
class Pipeline {
 public:
  void add(std::initializer_list<Argument> arguments);
  void add(const std::vector<Argument>& arguments);

  /// How many replies there will be.
  std::size_t commands() const noexcept { return ends_.size(); }
  bool empty() const noexcept { return ends_.empty(); }
  /// All bytes in order, as pieces of memory; valid until the next add().
  std::vector<std::string_view> pieces() const;
  /// How many bytes there are up to the end of a command.
  std::size_t end_of(std::size_t command) const { return ends_[command]; }
  std::size_t size() const noexcept { return ends_.empty() ? 0 : ends_.back(); }

 private:
  struct Piece {
    std::string_view outside;  // or a part of text_ when its data is null
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  template <class Arguments>
  void write(const Arguments& arguments);
  void header(char mark, std::size_t number);
  void piece(std::string_view bytes);
  void text(std::string_view bytes);

  std::string text_;
  std::vector<Piece> pieces_;
  std::vector<std::size_t> ends_;
  std::size_t size_ = 0;
};

}  // namespace threadkeep::redis
