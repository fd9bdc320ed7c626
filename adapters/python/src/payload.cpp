// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"

#include <atomic>
#include <memory>

#include "threadkeep/error.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

struct Released {
  PyObject* object;
  Released* next;
};

// No lock, for in a forked child it might be held for ever. Neither is destroyed: threads of a
// store may outlive the static objects of this module.
constinit std::atomic<Released*> released{nullptr};
constinit std::atomic<std::size_t> shared{0};

void leave_for_release(const void* object) {
  auto* one = new Released{static_cast<PyObject*>(const_cast<void*>(object)), released.load()};
  while (!released.compare_exchange_weak(one->next, one)) {
  }
}

Bytes share(PyObject* object, std::string_view view) {
  Py_INCREF(object);
  shared.fetch_add(1, std::memory_order_relaxed);
  return Bytes::share(std::shared_ptr<const void>(object, leave_for_release), view);
}

Bytes copy_buffer(nb::handle value) {
  Py_buffer buffer;
  if (PyObject_GetBuffer(value.ptr(), &buffer, PyBUF_SIMPLE) != 0) {
    PyErr_Clear();
    throw Error(Code::invalid_argument, "a payload must be bytes; the serializer returned " +
                                            std::string(Py_TYPE(value.ptr())->tp_name));
  }
  Bytes bytes =
      Bytes::copy({static_cast<const char*>(buffer.buf), static_cast<std::size_t>(buffer.len)});
  PyBuffer_Release(&buffer);
  return bytes;
}

}  // namespace

Bytes to_payload(nb::handle value) {
  if (!PyBytes_Check(value.ptr())) return copy_buffer(value);
  const std::string_view view(PyBytes_AS_STRING(value.ptr()),
                              static_cast<std::size_t>(PyBytes_GET_SIZE(value.ptr())));
  return view.size() < share_from_bytes ? Bytes::copy(view) : share(value.ptr(), view);
}

void release_payloads() {
  if (!released.load(std::memory_order_relaxed)) return;
  std::unique_ptr<Released> one;
  for (one.reset(released.exchange(nullptr)); one; one.reset(one->next)) {
    shared.fetch_sub(1, std::memory_order_relaxed);
    Py_DECREF(one->object);
  }
}

std::size_t shared_payloads() noexcept {
  return shared.load(std::memory_order_relaxed);
}

}  // namespace threadkeep::python
