// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace threadkeep::cli {

/// A stored value as a person reads it, in one line of about `limit` bytes, printable. JSON, text
/// and MessagePack are decoded as data; objects of LangGraph's serializer are shown as
/// Name(contents). Nothing is ever executed: pickles and unknown types give "". So does what does
/// not parse.
std::string value_text(std::string_view type, std::string_view bytes, std::size_t limit);

}  // namespace threadkeep::cli
