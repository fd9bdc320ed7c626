// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include "threadkeep/error.hpp"

namespace threadkeep::python {

/// The Python exception for an error: an instance of the class of its code. Needs the GIL.
nanobind::object to_exception(const Error& error);

/// Lets every threadkeep::Error that a bound function throws arrive as that exception.
void register_errors();

}  // namespace threadkeep::python
