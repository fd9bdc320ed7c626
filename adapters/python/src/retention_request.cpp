// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <chrono>

#include "request.hpp"
#include "session_convert.hpp"
#include "threadkeep/retention/retention.hpp"

namespace nb = nanobind;
using namespace nanobind::literals;

namespace threadkeep::python {

namespace {

using retention::Policy;
using retention::Retention;

template <class Work>
Request request(Work work) {
  auto run = [work = std::move(work)](Store& store, const Call& call) -> Result {
    return work(*retention::open_retention(store), call);
  };
  return Request(Request::Read{.lane = "", .run = std::move(run), .waits = true});
}

Request install() {
  return request([](Retention& retention, const Call& call) -> Result {
    retention.install(call);
    return std::monostate{};
  });
}

Request apply(nb::handle policies) {
  return request([policies = retention::policies_from_json(to_text(policies, "policies"))](
                     Retention& retention, const Call& call) -> Result {
    retention.apply(policies, call);
    return std::monostate{};
  });
}

Request stored_policies() {
  return request([](Retention& retention, const Call& call) -> Result {
    return retention::to_json(retention.policies(call));
  });
}

Request preview(nb::handle policies) {
  std::optional<std::vector<Policy>> given;
  if (!policies.is_none()) given = retention::policies_from_json(to_text(policies, "policies"));
  return request([given = std::move(given)](Retention& retention, const Call& call) -> Result {
    return given ? retention.preview(*given, call) : retention.preview(call);
  });
}

Request sweep(nb::handle max_threads, nb::handle batch_size, double time_budget) {
  retention::SweepOptions options;
  options.max_threads = to_count(max_threads, "max_threads");
  options.batch_size = static_cast<std::uint32_t>(
      std::min<std::size_t>(to_count(batch_size, "batch_size"), 1'000'000));
  if (!(time_budget >= 0 && time_budget <= 1e9)) {
    throw Error(Code::invalid_argument, "time_budget must be a number of seconds from 0");
  }
  options.time_budget = std::chrono::seconds(static_cast<std::int64_t>(time_budget));
  return request([options](Retention& retention, const Call& call) -> Result {
    return retention.sweep(options, call);
  });
}

Request refresh(nb::handle thread_ids) {
  return request(
      [ids = to_texts(thread_ids, "thread_ids")](Retention& retention, const Call& call) -> Result {
        return retention.refresh(ids, call);
      });
}

Request expire(nb::handle thread_id, nb::handle at) {
  return request([thread_id = to_text(thread_id, "thread_id"), at = to_optional_int64(at, "at")](
                     Retention& retention, const Call& call) -> Result {
    retention.expire(thread_id, at, call);
    return std::monostate{};
  });
}

Request pin(nb::handle thread_id, bool set) {
  return request([thread_id = to_text(thread_id, "thread_id"), set](Retention& retention,
                                                                    const Call& call) -> Result {
    const bool changed = set ? retention.pin(thread_id, call) : retention.unpin(thread_id, call);
    return std::uint64_t{changed};
  });
}

std::string normal_policies(nb::handle policies) {
  return retention::to_json(retention::policies_from_json(to_text(policies, "policies")));
}

}  // namespace

void bind_retention_requests(nb::module_& module) {
  module.def("install_retention", install);
  module.def("apply_policies", apply, "policies"_a);
  module.def("stored_policies", stored_policies);
  module.def("preview_retention", preview, "policies"_a.none());
  module.def("sweep", sweep, "max_threads"_a, "batch_size"_a, "time_budget"_a);
  module.def("refresh_threads", refresh, "thread_ids"_a);
  module.def("expire_thread", expire, "thread_id"_a, "at"_a.none());
  module.def("pin_thread", pin, "thread_id"_a, "set"_a);
  module.def("normal_policies", normal_policies, "policies"_a);
}

}  // namespace threadkeep::python
