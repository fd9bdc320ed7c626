// SPDX-License-Identifier: Apache-2.0
#include "request.hpp"

#include <nanobind/stl/string.h>

namespace nb = nanobind;
using namespace nanobind::literals;

namespace threadkeep::python {

namespace {

Request put(nb::handle thread_id, nb::handle checkpoint_ns, nb::handle checkpoint_id,
            nb::handle parent, nb::handle document, nb::handle metadata, nb::handle blobs,
            bool require_latest_parent) {
  PutCheckpoint put{.thread_id = to_text(thread_id, "thread_id"),
                    .checkpoint_ns = to_text(checkpoint_ns, "checkpoint_ns"),
                    .checkpoint_id = to_text(checkpoint_id, "checkpoint_id"),
                    .parent_checkpoint_id = to_optional_text(parent, "parent_checkpoint_id"),
                    .document = to_text(document, "document"),
                    .metadata = to_text(metadata, "metadata"),
                    .blobs = to_blobs(blobs),
                    .require_latest_parent = require_latest_parent};
  return Request(Mutation(std::move(put)));
}

Request put_writes(nb::handle thread_id, nb::handle checkpoint_ns, nb::handle checkpoint_id,
                   nb::handle task_id, nb::handle task_path, nb::handle rows) {
  PutWrites put{
      .thread_id = to_text(thread_id, "thread_id"),
      .checkpoint_ns = to_text(checkpoint_ns, "checkpoint_ns"),
      .checkpoint_id = to_text(checkpoint_id, "checkpoint_id"),
      .writes = to_writes(rows, to_text(task_id, "task_id"), to_text(task_path, "task_path"))};
  return Request(Mutation(std::move(put)));
}

Request put_thread(nb::handle thread_id, nb::handle metadata) {
  return Request(
      Mutation(PutThread{to_text(thread_id, "thread_id"), to_text(metadata, "metadata")}));
}

Request delete_thread(nb::handle thread_id) {
  return Request(Mutation(DeleteThread{to_text(thread_id, "thread_id")}));
}

Request delete_runs(nb::handle run_ids) {
  return Request(Mutation(DeleteRuns{to_texts(run_ids, "run_id")}));
}

Request copy_thread(nb::handle source, nb::handle target) {
  return Request(Mutation(
      CopyThread{to_text(source, "source_thread_id"), to_text(target, "target_thread_id")}));
}

Request prune(nb::handle thread_id) {
  return Request(Mutation(Prune{to_text(thread_id, "thread_id")}));
}

Request get(nb::handle thread_id, nb::handle checkpoint_ns, nb::handle checkpoint_id, bool values,
            bool writes) {
  CheckpointQuery query{.thread_id = to_text(thread_id, "thread_id"),
                        .checkpoint_ns = to_text(checkpoint_ns, "checkpoint_ns"),
                        .checkpoint_id = to_optional_text(checkpoint_id, "checkpoint_id"),
                        .include = {values, writes}};
  std::string lane = query.thread_id;
  return Request(Request::Read{
      std::move(lane), [query = std::move(query)](Store& store, const Call& call) -> Result {
        return store.get(query, call);
      }});
}

Request list(nb::handle thread_id, nb::handle checkpoint_ns, nb::handle checkpoint_id,
             nb::handle before, nb::handle filter, bool values, bool writes, std::size_t limit,
             nb::handle cursor) {
  CheckpointList query;
  query.thread_id = to_optional_text(thread_id, "thread_id");
  query.checkpoint_ns = to_optional_text(checkpoint_ns, "checkpoint_ns");
  query.checkpoint_id = to_optional_text(checkpoint_id, "checkpoint_id");
  query.before = to_optional_text(before, "before");
  query.filter = to_filter(filter);
  query.include = {values, writes};
  query.limit = limit;
  query.cursor = to_text(cursor, "cursor");
  std::string lane = query.thread_id.value_or("");
  return Request(Request::Read{
      std::move(lane), [query = std::move(query)](Store& store, const Call& call) -> Result {
        return store.list(query, call);
      }});
}

Request history(nb::handle thread_id, nb::handle checkpoint_ns, nb::handle checkpoint_id,
                nb::handle channels) {
  HistoryQuery query{.thread_id = to_text(thread_id, "thread_id"),
                     .checkpoint_ns = to_text(checkpoint_ns, "checkpoint_ns"),
                     .checkpoint_id = to_optional_text(checkpoint_id, "checkpoint_id"),
                     .channels = to_texts(channels, "channel")};
  std::string lane = query.thread_id;
  return Request(Request::Read{
      std::move(lane), [query = std::move(query)](Store& store, const Call& call) -> Result {
        return store.history(query, call);
      }});
}

Request threads(nb::handle filter, std::size_t limit, nb::handle cursor) {
  ThreadList query{
      .filter = to_filter(filter), .limit = limit, .cursor = to_text(cursor, "cursor")};
  return Request(
      Request::Read{"", [query = std::move(query)](Store& store, const Call& call) -> Result {
                      return store.threads(query, call);
                    }});
}

Request ping() {
  return Request(
      Request::Read{"", [](Store& store, const Call& call) -> Result { return store.ping(call); }});
}

Request setup() {
  return Request(Request::Read{"", [](Store& store, const Call& call) -> Result {
                                 store.setup(call);
                                 return std::monostate{};
                               }});
}

}  // namespace

Request::Work Request::take() {
  if (!work_) throw Error(Code::invalid_argument, "a request can be made only once");
  Work work = std::move(*work_);
  work_.reset();
  return work;
}

void bind_requests(nb::module_& module) {
  nb::class_<Request>(module, "Request");
  module.def("put", put, "thread_id"_a.none(), "checkpoint_ns"_a.none(), "checkpoint_id"_a.none(),
             "parent_checkpoint_id"_a.none(), "document"_a.none(), "metadata"_a.none(), "blobs"_a,
             "require_latest_parent"_a = false);
  module.def("put_writes", put_writes, "thread_id"_a.none(), "checkpoint_ns"_a.none(),
             "checkpoint_id"_a.none(), "task_id"_a.none(), "task_path"_a.none(), "rows"_a);
  module.def("put_thread", put_thread, "thread_id"_a.none(), "metadata"_a.none());
  module.def("delete_thread", delete_thread, "thread_id"_a.none());
  module.def("delete_runs", delete_runs, "run_ids"_a);
  module.def("copy_thread", copy_thread, "source_thread_id"_a.none(), "target_thread_id"_a.none());
  module.def("prune", prune, "thread_id"_a.none());
  module.def("get", get, "thread_id"_a.none(), "checkpoint_ns"_a.none(), "checkpoint_id"_a.none(),
             "values"_a = true, "writes"_a = true);
  module.def("list", list, "thread_id"_a.none(), "checkpoint_ns"_a.none(), "checkpoint_id"_a.none(),
             "before"_a.none(), "filter"_a, "values"_a, "writes"_a, "limit"_a, "cursor"_a.none());
  module.def("history", history, "thread_id"_a.none(), "checkpoint_ns"_a.none(),
             "checkpoint_id"_a.none(), "channels"_a);
  module.def("threads", threads, "filter"_a, "limit"_a, "cursor"_a.none());
  module.def("ping", ping);
  module.def("setup", setup);
}

}  // namespace threadkeep::python
