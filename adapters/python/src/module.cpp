// SPDX-License-Identifier: Apache-2.0
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "errors.hpp"
#include "log_queue.hpp"
#include "metrics.hpp"
#include "native_store.hpp"
#include "payload.hpp"
#include "threadkeep/registry.hpp"

namespace nb = nanobind;
using namespace nanobind::literals;

namespace threadkeep::python {

namespace {

nb::tuple failed_call(std::uint64_t token, const Error& error) {
  return nb::make_tuple(token, nb::none(), to_exception(error));
}

// A result that cannot be turned into Python objects ends its own call and no other.
nb::tuple finished_call(const Completion& completion) {
  if (completion.error) return failed_call(completion.token, *completion.error);
  try {
    return nb::make_tuple(completion.token, to_python(completion.result), nb::none());
  } catch (nb::python_error& error) {
    return nb::make_tuple(completion.token, nb::none(), nb::borrow(error.value()));
  } catch (const Error& error) {
    return failed_call(completion.token, error);
  } catch (const std::exception& error) {
    PyErr_Clear();  // nanobind may throw with Python's error set.
    return failed_call(completion.token, Error(Code::internal, error.what()));
  }
}

nb::list drain(LoopQueue& loop_queue) {
  nb::list calls;
  for (const Completion& completion : loop_queue.queue->drain())
    calls.append(finished_call(completion));
  release_payloads();
  return calls;
}

nb::dict capabilities(NativeStore& store) {
  const Capabilities can = store.capabilities();
  nb::dict dict;
  dict["name"] = can.name;
  dict["durable"] = can.durable;
  dict["blocking"] = can.blocking;
  dict["max_value_bytes"] = can.max_value_bytes;
  dict["sessions"] = can.sessions;
  return dict;
}

nb::list schemes() {
  nb::list list;
  for (const std::string& scheme : Registry::builtin().schemes()) list.append(scheme);
  return list;
}

std::string redacted(const std::string& url) {
  return Url::parse(url).redacted();
}

}  // namespace

NB_MODULE(_native, module) {
  // A program that ends in the middle of its calls leaves objects behind; that is no defect.
  nb::set_leak_warnings(false);
  register_errors();
  bind_requests(module);
  bind_session_requests(module);
  bind_retention_requests(module);
  bind_log_queue(module);
  bind_metrics(module);
  module.attr("version") = THREADKEEP_VERSION;
  module.def("schemes", schemes);
  module.def("redacted", redacted, "url"_a);
  module.def("shared_payloads", shared_payloads);

  nb::class_<PendingCall>(module, "PendingCall")
      .def(nb::init<>())
      .def("cancel", &PendingCall::cancel);
  nb::class_<LoopQueue>(module, "CompletionQueue")
      .def(nb::init<>())
      .def("fileno", [](const LoopQueue& self) { return self.queue->fileno(); })
      .def("drain", drain);
  nb::class_<NativeStore>(module, "Store", nb::is_weak_referenceable())
      .def(nb::init<const std::string&>(), "url"_a)
      .def("call", &NativeStore::call, "request"_a, "timeout"_a.none(), "pending"_a = nb::none())
      .def("submit", &NativeStore::submit, "request"_a, "timeout"_a.none(), "queue"_a, "token"_a)
      .def("close", &NativeStore::close)
      .def("capabilities", capabilities);
  module.def("stores_end", &NativeStore::end_all);
  module.def("stores_begin_anew", &NativeStore::begin_anew);
}

}  // namespace threadkeep::python
