// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include "threadkeep/bytes.hpp"

namespace threadkeep::python {

/// Python bytes of at least this size are referred to instead of copied.
inline constexpr std::size_t share_from_bytes = 64 * 1024;

/// The bytes of a payload: any object with the buffer interface. Needs the GIL.
///
/// A large `bytes` object stays alive until the store is done with it. The thread that lets go of
/// it last does not take the GIL, which could hang or kill it while the interpreter shuts down;
/// it leaves the object to release_payloads().
Bytes to_payload(nanobind::handle value);

/// Drops the references to payloads that the store is done with. Cheap when there are none.
/// Needs the GIL.
void release_payloads();

/// How many Python objects the store refers to at this moment, for tests.
std::size_t shared_payloads() noexcept;

}  // namespace threadkeep::python
