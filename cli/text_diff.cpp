// SPDX-License-Identifier: Apache-2.0
#include "text_diff.hpp"

#include <algorithm>
#include <cstddef>

namespace threadkeep::cli {

namespace {

using Lines = std::vector<std::string>;
using Kind = DiffLine::Kind;

constexpr std::size_t one_line = 60;
constexpr std::size_t most_cells = 1'000'000;  // of the table of common subsequences
constexpr std::size_t most_depth = 30;         // further in nothing is indented

bool is_empty(std::string_view brackets) {
  return brackets == "[]" || brackets == "{}";
}

// Breaks lines at brackets and commas outside of strings.
class Breaker {
 public:
  Lines run(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool empty = !in_string_ && is_empty(text.substr(i, 2));
      if (empty) line_ += text[i++];
      if (empty) line_ += text[i];
      if (!empty) take(text[i]);
    }
    end_line();
    return std::move(lines_);
  }

 private:
  void take(char c) {
    if (in_string_) {
      line_ += c;
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      return;
    }
    if (c == ' ' && line_.empty()) return;
    if (c == ']' || c == '}') {
      end_line();
      depth_ -= depth_ > 0 ? 1 : 0;
    }
    line_ += c;
    in_string_ = c == '"';
    if (c == '[' || c == '{') {
      end_line();
      ++depth_;
    }
    if (c == ',') end_line();
  }

  void end_line() {
    if (!line_.empty())
      lines_.push_back(std::string(2 * std::min(depth_, most_depth), ' ') + line_);
    line_.clear();
  }

  Lines lines_;
  std::string line_;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

// The longest common subsequence by the table of its lengths (Wagner and Fischer 1974).
class Comparison {
 public:
  Comparison(const Lines& before, const Lines& after) : before_(before), after_(after) {
    while (head_ < std::min(before.size(), after.size()) && before[head_] == after[head_]) ++head_;
    while (tail_ < std::min(before.size(), after.size()) - head_ &&
           before[before.size() - 1 - tail_] == after[after.size() - 1 - tail_]) {
      ++tail_;
    }
    rows_ = before.size() - head_ - tail_;
    columns_ = after.size() - head_ - tail_;
    if (rows_ > 0 && columns_ > 0 && rows_ <= most_cells / columns_) fill();
  }

  std::vector<DiffLine> run() const {
    std::vector<DiffLine> all;
    for (std::size_t i = 0; i < head_; ++i) all.push_back({Kind::both, before_[i]});
    std::size_t row = 0;
    std::size_t column = 0;
    while (row < rows_ || column < columns_) {
      if (row < rows_ && column < columns_ && !lengths_.empty() && same(row, column)) {
        all.push_back({Kind::both, before_[head_ + row++]});
        ++column;
      } else if (row < rows_ &&
                 (column == columns_ || length(row + 1, column) >= length(row, column + 1))) {
        all.push_back({Kind::before, before_[head_ + row++]});
      } else {
        all.push_back({Kind::after, after_[head_ + column++]});
      }
    }
    for (std::size_t i = tail_; i > 0; --i)
      all.push_back({Kind::both, before_[before_.size() - i]});
    return all;
  }

 private:
  bool same(std::size_t row, std::size_t column) const {
    return before_[head_ + row] == after_[head_ + column];
  }
  // Of what is common from here to the end; 0 everywhere when there is no table.
  std::size_t length(std::size_t row, std::size_t column) const {
    return lengths_.empty() ? 0 : lengths_[row * (columns_ + 1) + column];
  }
  void fill() {
    lengths_.resize((rows_ + 1) * (columns_ + 1));
    for (std::size_t row = rows_; row-- > 0;) {
      for (std::size_t column = columns_; column-- > 0;) {
        lengths_[row * (columns_ + 1) + column] =
            same(row, column) ? length(row + 1, column + 1) + 1
                              : std::max(length(row + 1, column), length(row, column + 1));
      }
    }
  }

  const Lines& before_;
  const Lines& after_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::vector<std::size_t> lengths_;
};

}  // namespace

Lines broken_lines(std::string_view text) {
  if (text.size() <= one_line) return {std::string(text)};
  return Breaker().run(text);
}

std::vector<DiffLine> text_diff(const Lines& before, const Lines& after) {
  const auto all = Comparison(before, after).run();
  std::vector<DiffLine> shown;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool changed = all[i].kind != Kind::both;
    const bool before_change = i + 1 < all.size() && all[i + 1].kind != Kind::both;
    const bool after_change = i > 0 && all[i - 1].kind != Kind::both;
    if (changed || before_change || after_change) shown.push_back(all[i]);
  }
  return shown;
}

}  // namespace threadkeep::cli
