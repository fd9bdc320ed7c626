// SPDX-License-Identifier: Apache-2.0
#include "errors.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

nb::str python_text(std::string_view text) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (decoded == nullptr) throw nb::python_error();
  return nb::steal<nb::str>(decoded);
}

// Runs no Python code: a thread that is in the middle of it when the interpreter shuts down is
// unwound through the C++ above it, which then lets go of objects without the GIL.
nb::object to_exception(const Error& error) {
  nb::object by_code = nb::module_::import_("threadkeep.errors").attr("_BY_CODE");
  nb::object exception = by_code[python_text(to_string(error.code()))](python_text(error.what()));
  exception.attr("native") = python_text(error.native());
  exception.attr("operation") = python_text(error.operation());
  exception.attr("retry_safe") = nb::bool_(error.retry_safe());
  return exception;
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
