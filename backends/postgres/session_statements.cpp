// SPDX-License-Identifier: Apache-2.0
#include "session_statements.hpp"

#include <string>

#include "postgres/sql.hpp"
#include "template.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::postgres {

namespace {

constexpr std::string_view message_weight =
    "(octet_length(content) + octet_length(metadata) + octet_length(id) + octet_length(role))";

// What the server's log shows when a comparison is left to the program; see append.sql.
constexpr std::string_view doubt = "values to be compared by threadkeep";

// The pieces that several statements share. `time` is the number of the parameter that is the time
// of the call; the next one is the time before which a thread's is stale.
Pieces change_of_thread(int time) {
  const std::string now = "$" + std::to_string(time) + "::timestamptz";
  const std::string stale = "$" + std::to_string(time + 1) + "::timestamptz";
  return {{"{raise_revision}", std::string(sql::piece_raise_revision)},
          {"{revision}",
           "(coalesce((SELECT revision FROM {schema}threadkeep_threads WHERE thread_id = $1::text),"
           " 0) + CASE WHEN changed > 0 THEN 1 ELSE 0 END)"},
          {"{now}", now},
          {"{stale}", stale}};
}

Pieces and_also(Pieces pieces, const Pieces& more) {
  pieces.insert(pieces.end(), more.begin(), more.end());
  return pieces;
}

Pieces remembering(const std::string& operation_id, const std::string& fingerprint) {
  return {{"{remember}", std::string(sql::piece_remember)},
          {"{operation_id}", operation_id},
          {"{fingerprint}", fingerprint},
          {"{operation_memory}", std::to_string(operation_memory)}};
}

Pieces documents_of(bool thread) {
  return {{"{change}", std::string(sql::piece_change)},
          {"{store_change}", std::string(sql::piece_store_change)},
          {"{documents}", thread ? "threadkeep_state" : "threadkeep_scopes"},
          {"{owner}", thread ? "thread_id" : "scope"},
          {"{erase}", std::to_string(static_cast<int>(StateChange::Kind::erase))},
          {"{doubt}", std::string(doubt)}};
}

std::string append_text(const Layout& layout) {
  auto pieces = and_also(remembering("$11::text", "$12::bigint"), documents_of(true));
  return render(sql::append, layout, and_also(pieces, change_of_thread(8)));
}

std::string change_text(const Layout& layout, bool thread) {
  const Pieces alone = {{",\n{raise_revision}", ""}, {"{revision}", "0::bigint"}};
  const auto pieces = and_also(documents_of(thread), thread ? change_of_thread(8) : alone);
  return render(sql::change_state, layout, pieces);
}

std::string remove_text(const Layout& layout, std::string_view which, int time) {
  return render(sql::remove_messages, layout,
                and_also({{"{which}", std::string(which)}}, change_of_thread(time)));
}

std::string pop_text(const Layout& layout) {
  auto pieces = and_also(remembering("$5::text", "$6::bigint"), change_of_thread(7));
  return render(sql::pop_messages, layout,
                and_also(std::move(pieces), {{"{weight}", std::string(message_weight)}}));
}

DocumentStatements documents(const Layout& layout, bool thread) {
  const auto pieces =
      and_also(documents_of(thread), {{"{weight}", "(octet_length(key) + octet_length(value))"}});
  return {Statement(change_text(layout, thread)), Statement(render(sql::state, layout, pieces)),
          Statement(render(sql::states, layout, pieces))};
}

Statement page(const Layout& layout, std::string_view order, std::string_view where,
               std::string_view content) {
  return Statement(render(sql::messages, layout,
                          {{"{order}", std::string(order)},
                           {"{where}", std::string(where)},
                           {"{content}", std::string(content)},
                           {"{weight}", std::string(message_weight)}}));
}

PageStatements pages(const Layout& layout, std::string_view order) {
  constexpr std::string_view between = "seq > $5::bigint AND seq < $6::bigint";
  return {page(layout, order, between, "content"), page(layout, order, between, "''::text"),
          page(layout, order, "seq = ANY ($5::bigint[])", "content")};
}

}  // namespace

SessionStatements::SessionStatements(const Layout& layout)
    : append(append_text(layout), 16, {"bigint", "text", "text", "text", "text"}),
      update(render(sql::update_message, layout, change_of_thread(6))),
      remove(remove_text(layout, "AND id = ANY ($4::text[])", 2)),
      pop(pop_text(layout)),
      clear(remove_text(layout, "", 2)),
      clear_stream(remove_text(layout, "AND stream = $4::text", 2)),
      of_thread(documents(layout, true)),
      of_name(documents(layout, false)),
      messages(render(sql::message, layout)),
      count(render(sql::count_messages, layout)),
      streams(render(sql::streams, layout)),
      revision(render(sql::revision, layout)),
      operation(render(sql::operation, layout)),
      begin_snapshot("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
      end_snapshot("COMMIT"),
      forward(pages(layout, "")),
      backward(pages(layout, " DESC")) {}

}  // namespace threadkeep::postgres
