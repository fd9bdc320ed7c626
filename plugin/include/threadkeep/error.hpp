// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace threadkeep {

/// What went wrong, in the terms a caller can act on. "Not found" is not among them: reads
/// return an empty optional or an empty page, and deleting the absent succeeds.
enum class Code {
  invalid_argument,  ///< The request can never work; the message names the field and the remedy.
  conflict,          ///< The store moved on: a parent is not the latest, or was deleted.
  duplicate,         ///< What must be new exists already.
  unavailable,       ///< The store cannot be reached, is busy or is full of work; nothing was done.
  timeout,           ///< The deadline passed; nothing was done.
  cancelled,         ///< The caller asked to stop; nothing was done.
  outcome_unknown,   ///< The deadline or connection ended while the write was under way. It may or
                     ///< may not be stored. Every mutation is idempotent: sending it again is safe.
  corrupt,           ///< The stored data or its schema is not what it must be.
  denied,            ///< The store refuses: read-only, no permission, bad credentials.
  unsupported,       ///< This backend, version or build cannot do it.
  no_space,          ///< The disk, quota or memory of the store is full; nothing was done.
  internal,          ///< A defect of threadkeep or of a library below it.
};

/// The name of a code as it appears in messages and in the Python package: "invalid_argument".
std::string_view to_string(Code code) noexcept;

/// The one exception type that leaves threadkeep. Copying never throws.
///
/// what() reads "<operation>: <code>: <message>". No message holds a password or a payload.
class Error : public std::exception {
 public:
  /// `native` is the code of the library below: a SQLSTATE, a Redis error prefix, an SQLite
  /// extended result code; empty when threadkeep itself found the error.
  Error(Code code, std::string_view message, std::string_view native = {},
        std::string_view operation = {});

  Code code() const noexcept;
  const std::string& message() const noexcept;
  const std::string& native() const noexcept;
  /// What was being done, such as "put"; may be empty.
  const std::string& operation() const noexcept;
  /// True when the same call may succeed later and sending it again cannot do harm.
  bool retry_safe() const noexcept;
  const char* what() const noexcept override;

  /// The same error, told to have happened during `operation`; an operation already named stays.
  Error during(std::string_view operation) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace threadkeep
