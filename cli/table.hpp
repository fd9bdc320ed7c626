// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace threadkeep::cli {

/// Rows of text in aligned columns under a heading. Cells are made printable. The last column takes
/// what is left of the width and is cut there.
class Table {
 public:
  explicit Table(std::vector<std::string> heading);

  void add(std::vector<std::string> row);
  /// `width` is that of the terminal; 0 cuts nothing.
  void print(std::ostream& out, std::size_t width) const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace threadkeep::cli
