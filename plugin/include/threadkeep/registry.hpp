// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/backend.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep {

/// Maps URL schemes to backends. Registry::builtin() holds those of this build; copy it and add
/// your own. Const use is thread-safe.
class Registry {
 public:
  /// Takes its parameters from the URL, calls finish() on it, and returns without touching the
  /// store where it can: connections are made on first use.
  using Factory = std::function<std::unique_ptr<Backend>(Url&, const Environment&)>;

  static const Registry& builtin();

  /// Throws Error(duplicate) when the scheme is taken and Error(invalid_argument) when it is not
  /// a letter followed by letters, digits, `+`, `-` and `.`.
  void add(std::string scheme, Factory factory);

  /// Also puts the layers around it that parameters of the URL ask for, see
  /// docs/operation/outages.md, and counts its calls. Throws Error(invalid_argument) for an unknown
  /// scheme, naming those that are known, and with all that is wrong with the parameters.
  std::unique_ptr<Backend> open(std::string_view url,
                                const Environment& environment = Environment::system()) const;
  /// As open, without the fallback of the URL, which is only checked: for programs that look after
  /// a store, whose journal belongs to the program that uses it.
  std::unique_ptr<Backend> open_for_tools(
      std::string_view url, const Environment& environment = Environment::system()) const;

  std::vector<std::string> schemes() const;

 private:
  const Factory& factory(const std::string& scheme) const;
  std::unique_ptr<Backend> open_journal(const std::string& text, Url& url,
                                        Environment environment) const;
  std::unique_ptr<Backend> open(std::string_view url, const Environment& environment,
                                bool with_fallback) const;

  std::map<std::string, Factory, std::less<>> factories_;
};

/// Opens a store by URL: `memory:`, `sqlite:PATH`, or a scheme of `registry`.
std::shared_ptr<Store> open(std::string_view url, const Registry& registry = Registry::builtin());

}  // namespace threadkeep
