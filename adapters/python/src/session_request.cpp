// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "request.hpp"
#include "session_convert.hpp"
#include "threadkeep/session_store.hpp"

namespace nb = nanobind;
using namespace nanobind::literals;

namespace threadkeep::python {

namespace {

template <class Run>
Request read(std::string lane, Run run) {
  return Request(Request::Read{std::move(lane), std::move(run)});
}

Request append_messages(nb::handle thread_id, nb::handle stream, nb::handle messages,
                        nb::handle state, nb::handle operation_id, nb::handle expected_revision) {
  AppendMessages append{
      .thread_id = to_text(thread_id, "thread_id"),
      .stream = to_text(stream, "stream"),
      .messages = to_new_messages(messages),
      .state = to_changes(state),
      .operation_id = to_text(operation_id, "operation_id"),
      .expected_revision = to_optional_int64(expected_revision, "expected_revision")};
  return Request(Mutation(std::move(append)));
}

Request update_message(nb::handle thread_id, nb::handle id, nb::handle content, nb::handle metadata,
                       nb::handle expected_version) {
  UpdateMessage update{.thread_id = to_text(thread_id, "thread_id"),
                       .id = to_text(id, "message id"),
                       .content = to_optional_text(content, "content"),
                       .metadata = to_optional_text(metadata, "metadata"),
                       .expected_version = to_optional_int64(expected_version, "expected_version")};
  return Request(Mutation(std::move(update)));
}

Request remove_messages(nb::handle thread_id, nb::handle ids) {
  return Request(
      Mutation(RemoveMessages{to_text(thread_id, "thread_id"), to_texts(ids, "message id")}));
}

Request pop_messages(nb::handle thread_id, nb::handle stream, nb::handle count,
                     nb::handle operation_id) {
  return Request(
      Mutation(PopMessages{to_text(thread_id, "thread_id"), to_text(stream, "stream"),
                           to_count(count, "count"), to_text(operation_id, "operation_id")}));
}

Request clear_messages(nb::handle thread_id, nb::handle stream) {
  return Request(
      Mutation(ClearMessages{to_text(thread_id, "thread_id"), to_optional_text(stream, "stream")}));
}

Request change_state(nb::handle scope, nb::handle changes) {
  return Request(Mutation(ChangeState{to_scope(scope), to_changes(changes)}));
}

Request messages(nb::handle thread_id, nb::handle stream, bool backward, nb::handle after,
                 nb::handle filter, nb::handle limit, nb::handle max_bytes, nb::handle cursor) {
  MessageList query{.thread_id = to_text(thread_id, "thread_id"),
                    .stream = to_text(stream, "stream"),
                    .direction = backward ? Direction::backward : Direction::forward,
                    .after = to_int64(after, "after"),
                    .filter = to_filter_tree(filter),
                    .limit = to_count(limit, "limit"),
                    .max_bytes = to_count(max_bytes, "max_bytes"),
                    .cursor = to_text(cursor, "cursor")};
  std::string lane = query.thread_id;
  return read(std::move(lane),
              [query = std::move(query)](Store& store, const Call& call) -> Result {
                return store.messages(query, call);
              });
}

Request tail_messages(nb::handle thread_id, nb::handle stream, nb::handle count,
                      nb::handle filter) {
  TailQuery query{.thread_id = to_text(thread_id, "thread_id"),
                  .stream = to_text(stream, "stream"),
                  .count = to_count(count, "count"),
                  .filter = to_filter_tree(filter)};
  std::string lane = query.thread_id;
  return read(std::move(lane),
              [query = std::move(query)](Store& store, const Call& call) -> Result {
                return read_tail(store, query, call);
              });
}

Request message(nb::handle thread_id, nb::handle id) {
  MessageQuery query{to_text(thread_id, "thread_id"), to_text(id, "message id")};
  std::string lane = query.thread_id;
  return read(std::move(lane),
              [query = std::move(query)](Store& store, const Call& call) -> Result {
                return store.message(query, call);
              });
}

Request count_messages(nb::handle thread_id, nb::handle stream, nb::handle after,
                       nb::handle filter) {
  MessageList query;
  query.thread_id = to_text(thread_id, "thread_id");
  query.stream = to_text(stream, "stream");
  query.after = to_int64(after, "after");
  query.filter = to_filter_tree(filter);
  std::string lane = query.thread_id;
  return read(std::move(lane),
              [query = std::move(query)](Store& store, const Call& call) -> Result {
                return store.count_messages(query, call);
              });
}

Request state(nb::handle scope, nb::handle key) {
  StateQuery query{to_scope(scope), to_text(key, "state key")};
  std::string lane = query.scope.lane();
  return read(std::move(lane),
              [query = std::move(query)](Store& store, const Call& call) -> Result {
                return store.state(query, call);
              });
}

Request states(nb::handle scope, nb::handle limit, nb::handle max_bytes, nb::handle cursor) {
  StateList query{.scope = to_scope(scope),
                  .limit = to_count(limit, "limit"),
                  .max_bytes = to_count(max_bytes, "max_bytes"),
                  .cursor = to_text(cursor, "cursor")};
  std::string lane = query.scope.lane();
  return read(std::move(lane),
              [query = std::move(query)](Store& store, const Call& call) -> Result {
                return store.states(query, call);
              });
}

Request thread(nb::handle thread_id) {
  ThreadQuery query{to_text(thread_id, "thread_id")};
  std::string lane = query.thread_id;
  return read(std::move(lane),
              [query = std::move(query)](Store& store, const Call& call) -> Result {
                return store.thread(query, call);
              });
}

}  // namespace

void bind_session_requests(nb::module_& module) {
  // A None that must not be is refused by the function itself, as any wrong type is.
  module.def("append_messages", append_messages, "thread_id"_a.none(), "stream"_a.none(),
             "messages"_a.none(), "state"_a.none(), "operation_id"_a.none(),
             "expected_revision"_a.none());
  module.def("update_message", update_message, "thread_id"_a.none(), "id"_a.none(),
             "content"_a.none(), "metadata"_a.none(), "expected_version"_a.none());
  module.def("remove_messages", remove_messages, "thread_id"_a.none(), "ids"_a.none());
  module.def("pop_messages", pop_messages, "thread_id"_a.none(), "stream"_a.none(),
             "count"_a.none(), "operation_id"_a.none());
  module.def("clear_messages", clear_messages, "thread_id"_a.none(), "stream"_a.none());
  module.def("change_state", change_state, "scope"_a.none(), "changes"_a.none());
  module.def("messages", messages, "thread_id"_a.none(), "stream"_a.none(), "backward"_a,
             "after"_a.none(), "filter"_a.none(), "limit"_a.none(), "max_bytes"_a.none(),
             "cursor"_a.none());
  module.def("tail_messages", tail_messages, "thread_id"_a.none(), "stream"_a.none(),
             "count"_a.none(), "filter"_a.none());
  module.def("message", message, "thread_id"_a.none(), "id"_a.none());
  module.def("count_messages", count_messages, "thread_id"_a.none(), "stream"_a.none(),
             "after"_a.none(), "filter"_a.none());
  module.def("state", state, "scope"_a.none(), "key"_a.none());
  module.def("states", states, "scope"_a.none(), "limit"_a.none(), "max_bytes"_a.none(),
             "cursor"_a.none());
  module.def("thread", thread, "thread_id"_a.none());
}

}  // namespace threadkeep::python
