// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_layer.hpp"

namespace threadkeep {

std::unique_ptr<Backend> around_with_fallback(std::unique_ptr<Backend> /*primary*/,
                                              std::unique_ptr<Backend> /*journal*/,
                                              FallbackOptions /*options*/) {
  throw Error(Code::unsupported, "fallback: this build has none");
}

}  // namespace threadkeep
