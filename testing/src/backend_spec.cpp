// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/backend_spec.hpp"

#include <utility>

#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::testing {

namespace {

// A store and the directory it lies in. Members are destroyed in reverse: the store goes first.
struct Placed {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
};

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

BackendSpec backend_at(std::string name, std::string url, const Registry& registry) {
  auto make = [url = std::move(url), registry](const Environment& environment) {
    auto placed = std::make_shared<Placed>();
    const auto place = replace_all(url, "{dir}", placed->directory.path().string());
    placed->store = std::make_unique<Store>(registry.open(place, environment));
    return std::shared_ptr<Store>(placed, placed->store.get());
  };
  return {std::move(name), std::move(make)};
}

}  // namespace threadkeep::testing
