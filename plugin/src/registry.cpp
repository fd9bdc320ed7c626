// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/registry.hpp"

#include <algorithm>

namespace threadkeep {

namespace {

bool is_scheme(std::string_view text) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto other = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return !text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), other);
}

}  // namespace

void Registry::add(std::string scheme, Factory factory) {
  if (!is_scheme(scheme)) {
    throw Error(Code::invalid_argument,
                "scheme '" + scheme + "': use a small letter followed by a-z, 0-9, '+', '-', '.'");
  }
  if (factories_.contains(scheme)) {
    throw Error(Code::duplicate, "scheme '" + scheme + "' is registered already");
  }
  factories_.emplace(std::move(scheme), std::move(factory));
}

std::unique_ptr<Backend> Registry::open(std::string_view text,
                                        const Environment& environment) const {
  Url url = Url::parse(text);
  const auto found = factories_.find(url.scheme());
  if (found == factories_.end()) {
    std::string known;
    for (const std::string& scheme : schemes()) known.append(known.empty() ? "" : ", ") += scheme;
    throw Error(Code::invalid_argument,
                "url: unknown scheme '" + url.scheme() + "'; this build knows: " + known);
  }
  return found->second(url, environment);
}

std::vector<std::string> Registry::schemes() const {
  std::vector<std::string> names;
  for (const auto& [scheme, factory] : factories_) names.push_back(scheme);
  return names;
}

}  // namespace threadkeep
