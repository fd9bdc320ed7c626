// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/backend.hpp"

#include <chrono>

namespace threadkeep {

Error no_sessions(const Capabilities& capabilities) {
  return Error(Code::unsupported, capabilities.name +
                                      " stores do not keep messages and state; use one that does, "
                                      "such as sqlite:PATH");
}

std::optional<std::string> Backend::head(const CheckpointQuery&, const Call&) {
  throw Error(Code::unsupported, capabilities().name + " stores cannot tell what changed");
}

Page<Message> Backend::messages(const MessageList&, const Call&) {
  throw no_sessions(capabilities());
}

std::optional<Message> Backend::message(const MessageQuery&, const Call&) {
  throw no_sessions(capabilities());
}

std::uint64_t Backend::count_messages(const MessageList&, const Call&) {
  throw no_sessions(capabilities());
}

std::optional<StateDocument> Backend::state(const StateQuery&, const Call&) {
  throw no_sessions(capabilities());
}

Page<StateDocument> Backend::states(const StateList&, const Call&) {
  throw no_sessions(capabilities());
}

std::vector<std::string> Backend::streams(const ThreadQuery&, const Call&) {
  throw no_sessions(capabilities());
}

Environment Environment::system() {
  return {[] {
    const auto elapsed = std::chrono::system_clock::now().time_since_epoch();
    return std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()};
  }};
}

}  // namespace threadkeep
