// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// \file
/// What threadkeep itself does with JSON text: check it at the door, and look at single members
/// without parsing the rest. nlohmann-json is the parser; it stays inside json.cpp.

namespace threadkeep {

/// Objects and arrays may be nested this deep: above what any runtime writes, below what any
/// reader's stack takes.
inline constexpr std::size_t max_json_depth = 500;

/// Throws Error(invalid_argument) unless `text` is one JSON object that every backend can hold:
/// valid UTF-8, finite numbers, no lone surrogates, no U+0000. The message names `field` and the
/// path to the bad value.
void check_json_object(std::string_view field, std::string_view text);

/// As check_json_object, for any JSON value.
void check_json(std::string_view field, std::string_view text);

/// True for text that check_json is sure to accept; some of that is left out. Much faster: one
/// pass, nothing is allocated.
bool is_plain_json(std::string_view text);

/// Removes every U+0000 from the strings and keys of a JSON text; the rest stays byte for byte.
std::string strip_nul(std::string text);

/// A member of a JSON object: its decoded key and its value as it stands in the text.
using JsonMember = std::pair<std::string, std::string_view>;

/// The members of a JSON object in order of appearance, duplicates included. Values are found by
/// scanning, not parsed. Throws Error(corrupt) when the text cannot be scanned as an object.
std::vector<JsonMember> json_members(std::string_view object);

/// How many members json_members finds, without their memory.
std::size_t json_size(std::string_view object);

/// The elements of a JSON array as they stand in the text; as json_members.
std::vector<std::string_view> json_elements(std::string_view array);

/// A member by its decoded key: the last one of duplicates; null when there is none.
const std::string_view* find_member(const std::vector<JsonMember>& members, std::string_view key);

/// The decoded text of a JSON string; throws Error(corrupt) for anything else.
std::string json_string(std::string_view raw);

/// `text` as a JSON string, quotes included; for keys of any content.
std::string quote_json(std::string_view text);

}  // namespace threadkeep
