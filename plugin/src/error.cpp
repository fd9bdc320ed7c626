// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/error.hpp"

namespace threadkeep {

std::string_view to_string(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::conflict:
      return "conflict";
    case Code::duplicate:
      return "duplicate";
    case Code::unavailable:
      return "unavailable";
    case Code::timeout:
      return "timeout";
    case Code::cancelled:
      return "cancelled";
    case Code::outcome_unknown:
      return "outcome_unknown";
    case Code::corrupt:
      return "corrupt";
    case Code::denied:
      return "denied";
    case Code::unsupported:
      return "unsupported";
    case Code::no_space:
      return "no_space";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

struct Error::State {
  Code code;
  std::string message;
  std::string native;
  std::string operation;
  std::string what;
};

Error::Error(Code code, std::string_view message, std::string_view native,
             std::string_view operation) {
  auto state = std::make_shared<State>();
  state->code = code;
  state->message = message;
  state->native = native;
  state->operation = operation;
  if (!operation.empty()) state->what.append(operation).append(": ");
  state->what.append(to_string(code)).append(": ").append(message);
  if (!native.empty()) state->what.append(" (").append(native).append(")");
  state_ = std::move(state);
}

Code Error::code() const noexcept {
  return state_->code;
}
const std::string& Error::message() const noexcept {
  return state_->message;
}
const std::string& Error::native() const noexcept {
  return state_->native;
}
const std::string& Error::operation() const noexcept {
  return state_->operation;
}
const char* Error::what() const noexcept {
  return state_->what.c_str();
}

bool Error::retry_safe() const noexcept {
  switch (state_->code) {
    case Code::unavailable:
    case Code::timeout:
    case Code::outcome_unknown:
      return true;
    default:
      return false;
  }
}

Error Error::during(std::string_view operation) const {
  if (!state_->operation.empty()) return *this;
  return Error(state_->code, state_->message, state_->native, operation);
}

}  // namespace threadkeep
