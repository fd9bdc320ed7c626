// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/registry.hpp"

#include <algorithm>
#include <utility>

#include "layer_keys.hpp"
#include "threadkeep/log.hpp"

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

const Registry::Factory& Registry::factory(const std::string& scheme) const {
  const auto found = factories_.find(scheme);
  if (found != factories_.end()) return found->second;
  std::string known;
  for (const std::string& name : schemes()) known.append(known.empty() ? "" : ", ") += name;
  throw Error(Code::invalid_argument,
              "url: unknown scheme '" + scheme + "'; this build knows: " + known);
}

// What is wrong is told with what is wrong with the URL itself.
std::unique_ptr<Backend> Registry::open_journal(const std::string& text, Url& url,
                                                Environment environment) const {
  if (!factories_.contains("memory")) {
    url.problem("parameter 'fallback' needs the memory backend, which this build does not have");
  }
  auto journal = parse_fallback(text, url);
  if (!journal) return nullptr;
  try {
    environment.first_use = FirstUse::creates;
    return factory(journal->scheme())(*journal, environment);
  } catch (const Error& error) {
    url.problem("parameter 'fallback': " + error.message());
    return nullptr;
  }
}

std::unique_ptr<Backend> Registry::open(std::string_view text, const Environment& environment,
                                        bool with_fallback) const {
  Url url = Url::parse(text);
  const Factory& make = factory(url.scheme());
  const LayerKeys keys = take_layer_keys(url);
  auto journal = keys.fallback ? open_journal(*keys.fallback, url, environment) : nullptr;
  Stack stack = stack_of(keys, make(url, environment));
  url.finish();  // where the factory did not
  if (!journal || !with_fallback) return std::move(stack).build();
  FallbackOptions options = keys.fallback_options;
  options.open_memory = [make_memory = factory("memory"), environment] {
    Url memory = Url::parse("memory:");
    return make_memory(memory, environment);
  };
  return std::move(stack).fallback(std::move(journal), std::move(options)).build();
}

std::unique_ptr<Backend> Registry::open(std::string_view url,
                                        const Environment& environment) const {
  auto backend = open(url, environment, true);
  log({LogLevel::info,
       "store_opened",
       "a store was opened; nothing was asked of it yet",
       {{"store", Url::parse(url).redacted()}}});
  return backend;
}

std::unique_ptr<Backend> Registry::open_for_tools(std::string_view url,
                                                  const Environment& environment) const {
  return open(url, environment, false);
}

std::vector<std::string> Registry::schemes() const {
  std::vector<std::string> names;
  for (const auto& [scheme, factory] : factories_) names.push_back(scheme);
  return names;
}

}  // namespace threadkeep
