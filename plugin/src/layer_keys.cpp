// SPDX-License-Identifier: Apache-2.0
#include "layer_keys.hpp"

#include <charconv>
#include <utility>

#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

constexpr unsigned most_tries = 100;

void take_try_timeout(Url& url, LayerKeys& keys) {
  keys.try_timeout = url.take_duration("try_timeout");
  if (keys.try_timeout && keys.try_timeout->count() == 0) {
    url.problem("parameter 'try_timeout' must be above 0");
  }
}

void take_retry(Url& url, LayerKeys& keys) {
  const auto text = url.take("retry");
  if (!text) return;
  if (*text == "off") {
    keys.tries = 1;
    return;
  }
  unsigned tries = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), tries);
  const bool whole = failed == std::errc() && end == text->data() + text->size();
  if (whole && tries >= 2 && tries <= most_tries) {
    keys.tries = tries;
  } else {
    url.problem("parameter 'retry' must be off, or how many tries a call has, 2 to " +
                std::to_string(most_tries));
  }
}

void take_fallback(Url& url, LayerKeys& keys) {
  keys.fallback = url.take("fallback");
  const auto unknown = url.take_choice("fallback_new", {"allow", "refuse"});
  const auto journal = url.take_size("fallback_journal");
  const auto cache = url.take_size("fallback_cache");
  FallbackOptions& options = keys.fallback_options;
  if (unknown == "allow") options.unknown = FallbackOptions::UnknownThreads::allow;
  if (journal) options.journal_bytes = *journal;
  if (cache) options.cache_bytes = *cache;
  if (!keys.fallback && (unknown || journal || cache)) {
    url.problem("parameters 'fallback_...' need a fallback, such as fallback=memory:");
  }
}

void take_breaker(Url& url, LayerKeys& keys) {
  const auto choice = url.take_choice("breaker", {"on", "off"});
  keys.breaker = choice == "on" || keys.fallback.has_value();
  if (choice == "off" && keys.fallback) {
    url.problem("a fallback needs the breaker; leave breaker=off out");
  }
}

}  // namespace

LayerKeys take_layer_keys(Url& url) {
  LayerKeys keys;
  take_try_timeout(url, keys);
  take_retry(url, keys);
  take_fallback(url, keys);
  take_breaker(url, keys);
  return keys;
}

std::optional<Url> parse_fallback(const std::string& text, Url& url) {
  try {
    Url fallback = Url::parse(text);
    if (fallback.scheme() == "memory" || fallback.scheme() == "sqlite") return fallback;
    url.problem("parameter 'fallback' must be memory: or sqlite:PATH");
  } catch (const Error& error) {
    url.problem("parameter 'fallback': " + error.message());
  }
  return {};
}

Stack stack_of(const LayerKeys& keys, std::unique_ptr<Backend> backend) {
  Stack stack(std::move(backend));
  if (keys.try_timeout) {
    stack = std::move(stack).deadline({*keys.try_timeout});
  } else if (keys.fallback) {
    stack = std::move(stack).deadline();
  }
  if (keys.breaker) stack = std::move(stack).breaker();
  if (keys.tries.value_or(1) > 1) {
    RetryOptions retry;
    retry.tries = *keys.tries;
    stack = std::move(stack).retry(retry);
  }
  return std::move(stack).metrics("primary");
}

}  // namespace threadkeep
