// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "threadkeep/layers.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep {

/// What the parameters of a URL that every store has say about its layers.
struct LayerKeys {
  std::optional<std::chrono::milliseconds> try_timeout;
  std::optional<unsigned> tries;  ///< 1: no retry.
  bool breaker = false;
  std::optional<std::string> fallback;  ///< The URL of its journal.
  FallbackOptions fallback_options;     ///< Without open_memory.
};

/// Takes them; what is wrong with them becomes a problem of the URL.
LayerKeys take_layer_keys(Url& url);

/// The scheme of a fallback's URL, parsed; empty, and a problem of `url`, when it is no fallback.
std::optional<Url> parse_fallback(const std::string& text, Url& url);

/// The backend with the layers below the fallback.
Stack stack_of(const LayerKeys& keys, std::unique_ptr<Backend> backend);

}  // namespace threadkeep
