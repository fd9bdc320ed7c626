// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "threadkeep/error.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

struct Released {
  std::mutex mutex;
  std::vector<PyObject*> objects;
  std::atomic<bool> any{false};
  std::atomic<std::size_t> shared{0};
};

// Never destroyed: threads of a store may outlive the static objects of this module.
Released& released() {
  static Released& instance = *new Released;
  return instance;
}

void leave_for_release(const void* object) {
  auto* python_object = static_cast<PyObject*>(const_cast<void*>(object));
  Released& all = released();
  std::lock_guard lock(all.mutex);
  all.objects.push_back(python_object);
  all.any.store(true, std::memory_order_release);
}

Bytes share(PyObject* object, std::string_view view) {
  Py_INCREF(object);
  released().shared.fetch_add(1, std::memory_order_relaxed);
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
  Released& all = released();
  if (!all.any.load(std::memory_order_acquire)) return;
  std::vector<PyObject*> objects;
  {
    std::lock_guard lock(all.mutex);
    objects.swap(all.objects);
    all.any.store(false, std::memory_order_release);
  }
  all.shared.fetch_sub(objects.size(), std::memory_order_relaxed);
  for (PyObject* object : objects) Py_DECREF(object);
}

std::size_t shared_payloads() noexcept {
  return released().shared.load(std::memory_order_relaxed);
}

}  // namespace threadkeep::python
