// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/line_digest.hpp"

#include <archive/sha256.hpp>
#include <optional>
#include <string>

#include "threadkeep/table_lines.hpp"

namespace threadkeep::migration {

namespace {

using tables::Kind;

constexpr std::size_t longest_text = 2000;

std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// Absent for NULL. The value stays valid while both arguments do.
std::optional<std::string_view> value_of(std::string_view field, std::string& space) {
  if (field == "\\N") return {};
  if (field.find('\\') == std::string_view::npos) return field;
  space.clear();
  tables::append_unescaped(space, field);
  return space;
}

bool is_counted(Kind kind) noexcept {
  return kind == Kind::text || kind == Kind::json || kind == Kind::vector || kind == Kind::other;
}

class LineDigest {
 public:
  explicit LineDigest(const std::vector<tables::LineColumn>& columns) : columns_(columns) {}

  void add(std::string_view line) {
    text_.clear();
    for (const auto& column : columns_) {
      const auto value = value_of(take_until(line, '\t'), space_);
      is_counted(column.kind) ? add_counted(value) : add_plain(value);
    }
    if (text_.size() <= longest_text) return all_.add(text_);
    row_.restart();
    row_.add(text_);
    all_.add("#");
    all_.add(row_.digest());
  }
  std::string digest() const { return all_.digest(); }

 private:
  void add_counted(std::optional<std::string_view> value) {
    if (value) text_ += std::to_string(value->size());
    text_ += ':';
    if (value) text_ += *value;
  }
  void add_plain(std::optional<std::string_view> value) {
    if (value) text_ += *value;
    text_ += ';';
  }

  const std::vector<tables::LineColumn>& columns_;
  ops::Sha256 all_;
  ops::Sha256 row_;
  std::string text_;
  std::string space_;
};

}  // namespace

tables::Digest digest_of_lines(std::string_view lines,
                               const std::vector<tables::LineColumn>& columns) {
  tables::Digest digest;
  LineDigest rows(columns);
  while (!lines.empty()) {
    rows.add(take_until(lines, '\n'));
    ++digest.rows;
  }
  if (digest.rows > 0) digest.sha256 = rows.digest();
  return digest;
}

tables::KeyValues last_key(std::string_view lines, const std::vector<std::size_t>& places) {
  if (lines.ends_with('\n')) lines.remove_suffix(1);
  const auto before = lines.rfind('\n');
  if (before != std::string_view::npos) lines.remove_prefix(before + 1);
  std::vector<std::string_view> fields;
  while (!lines.empty()) fields.push_back(take_until(lines, '\t'));
  tables::KeyValues key;
  key.reserve(places.size());
  std::string space;
  for (const auto place : places) {
    key.emplace_back(value_of(place < fields.size() ? fields[place] : "", space).value_or(""));
  }
  return key;
}

}  // namespace threadkeep::migration
