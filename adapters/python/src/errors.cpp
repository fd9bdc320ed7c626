// SPDX-License-Identifier: Apache-2.0
#include "errors.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

nb::str python_text(std::string_view text) {
  return nb::str(text.data(), text.size());
}

}  // namespace

nb::object to_exception(const Error& error) {
  nb::object make = nb::module_::import_("threadkeep.errors").attr("_from_native");
  return make(python_text(to_string(error.code())), python_text(error.what()),
              python_text(error.native()), python_text(error.operation()), error.retry_safe());
}

void register_errors() {
  nb::register_exception_translator([](const std::exception_ptr& caught, void*) {
    try {
      std::rethrow_exception(caught);
    } catch (const Error& error) {
      nb::object exception = to_exception(error);
      PyErr_SetObject(exception.type().ptr(), exception.ptr());
    }
  });
}

}  // namespace threadkeep::python
