// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <algorithm>

#include "printable.hpp"

namespace threadkeep::cli {

namespace {
constexpr std::size_t gap = 2;
}

Table::Table(std::vector<std::string> heading) : widths_(heading.size()) {
  add(std::move(heading));
}

void Table::add(std::vector<std::string> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = printable(row[i]);
    if (!printed_) widths_[i] = std::max(widths_[i], columns(row[i]));
  }
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out, std::size_t width) {
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < widths_.size(); ++i) before_last += widths_[i] + gap;
  const std::size_t left = width > before_last + 8 ? width - before_last : 8;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      const std::size_t used = std::min(columns(row[i]), widths_[i]);
      out << row[i] << std::string(widths_[i] - used + gap, ' ');
    }
    out << (width == 0 ? row.back() : shortened(row.back(), left)) << "\n";
  }
  rows_.clear();
  printed_ = true;
}

}  // namespace threadkeep::cli
