// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

namespace threadkeep::python {

/// Module function metrics(), and bucket_limits.
void bind_metrics(nanobind::module_& module);

}  // namespace threadkeep::python
