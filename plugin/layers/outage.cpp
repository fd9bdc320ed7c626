// SPDX-License-Identifier: Apache-2.0
#include "layers/outage.hpp"

namespace threadkeep {

namespace {

// Who gives a store less says nothing about it.
constexpr auto patience = std::chrono::seconds(1);
// Clocks and polls are rounded: what ends this near to its deadline ended by it.
constexpr auto slack = std::chrono::milliseconds(50);

bool waited_in_vain(const CallTimes& times) noexcept {
  const bool cut_by_caller =
      !times.deadline.is_never() && times.deadline.at() - times.ended <= slack;
  return !cut_by_caller || times.deadline.at() - times.began >= patience;
}

}  // namespace

Sign sign_of(Code code, const CallTimes& times) noexcept {
  switch (code) {
    case Code::unavailable:
      return Sign::fails;
    case Code::timeout:
    case Code::outcome_unknown:
      return waited_in_vain(times) ? Sign::fails : Sign::nothing;
    case Code::conflict:
    case Code::duplicate:
    case Code::corrupt:
    case Code::denied:
    case Code::no_space:
      return Sign::answers;
    case Code::invalid_argument:
    case Code::cancelled:
    case Code::unsupported:
    case Code::internal:
      return Sign::nothing;
  }
  return Sign::nothing;
}

Sign sign_of(const Error& error, const CallTimes& times) noexcept {
  const bool own_fault = error.code() == Code::unavailable && error.native() == pool_wait;
  return own_fault ? Sign::nothing : sign_of(error.code(), times);
}

}  // namespace threadkeep
