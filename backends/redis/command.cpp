// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

namespace threadkeep::redis {

namespace {

// Above this a piece is sent from where it lies.
constexpr std::size_t copy_limit = 4 * 1024;

}  // namespace

void Pipeline::text(std::string_view bytes) {
  if (pieces_.empty() || pieces_.back().outside.data() != nullptr) {
    pieces_.push_back({{}, text_.size(), 0});
  }
  text_ += bytes;
  pieces_.back().size += bytes.size();
  size_ += bytes.size();
}

void Pipeline::piece(std::string_view bytes) {
  if (bytes.size() <= copy_limit) return text(bytes);
  pieces_.push_back({bytes, 0, bytes.size()});
  size_ += bytes.size();
}

void Pipeline::header(char mark, std::size_t number) {
  text(mark + std::to_string(number) + "\r\n");
}

template <class Arguments>
void Pipeline::write(const Arguments& arguments) {
  header('*', arguments.size());
  for (const Argument& argument : arguments) {
    header('$', argument.size());
    piece(argument.begin);
    piece(argument.end);
    text("\r\n");
  }
  ends_.push_back(size_);
}

void Pipeline::add(std::initializer_list<Argument> arguments) {
  write(arguments);
}

void Pipeline::add(const std::vector<Argument>& arguments) {
  write(arguments);
}

std::vector<std::string_view> Pipeline::pieces() const {
  std::vector<std::string_view> views;
  views.reserve(pieces_.size());
  for (const Piece& piece : pieces_) {
    views.push_back(piece.outside.data() != nullptr
                        ? piece.outside
                        : std::string_view(text_).substr(piece.begin, piece.size));
  }
  return views;
}

}  // namespace threadkeep::redis
