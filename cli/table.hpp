// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace threadkeep::cli {

/// Rows of text in aligned columns under a heading. Cells are made printable. The last column takes
/// what is left of the width and is cut there. Rows may be printed in several portions: the columns
/// stay as wide as the first one wanted, and what is wider then pushes its neighbours away.
class Table {
 public:
  explicit Table(std::vector<std::string> heading);

  void add(std::vector<std::string> row);
  /// Prints the rows that were added since the last time. `width` is that of the terminal; 0 cuts
  /// nothing.
  void print(std::ostream& out, std::size_t width);

 private:
  bool printed_ = false;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace threadkeep::cli
