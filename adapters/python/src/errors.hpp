// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <string_view>

#include "threadkeep/error.hpp"

namespace threadkeep::python {

/// Text of a store. It may quote a path or a stored id that is no UTF-8, and arrives all the same.
nanobind::str python_text(std::string_view text);

/// The Python exception for an error: an instance of the class of its code. Needs the GIL.
nanobind::object to_exception(const Error& error);

/// Lets every threadkeep::Error that a bound function throws arrive as that exception.
void register_errors();

}  // namespace threadkeep::python
