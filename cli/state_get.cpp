// SPDX-License-Identifier: Apache-2.0
#include "state_get.hpp"

#include <iostream>

#include "printable.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Shows a document of the state of a thread, or lists all of them.\n"
    "\n"
    "A document is shown as it was stored, with its version. Without KEY there is a line for each\n"
    "document, ordered by keys.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep state get ada --url sqlite:agent.db\n"
    "  threadkeep state get ada last_turn --url sqlite:agent.db\n"
    "  threadkeep state get user:ada visits --named --url sqlite:agent.db --json";

Json json_of(const StateDocument& document) {
  return {
      {"key", document.key}, {"version", document.version}, {"value", stored_json(document.value)}};
}

std::vector<std::string> row(const StateDocument& document) {
  return {document.key, std::to_string(document.version), document.value};
}

const ListingForm<StateDocument> form = {"documents", json_of, {"KEY", "VERSION", "VALUE"}, row};

}  // namespace

StateGet::StateGet(CLI::App& state)
    : StoreCommand(state, "get", description, examples), pages_(options(), "documents") {
  options()
      .add_option("THREAD", owner_, "The id of the thread, or with --named a name")
      ->required();
  auto* key = options().add_option("KEY", key_, "The key of the document");
  options().add_flag("--named", named_, "The state of a named scope and not of a thread");
  for (const auto* name : {"--all", "--limit", "--cursor"}) {
    key->excludes(options().get_option(name));
  }
  print_by_pager();
}

StateScope StateGet::scope() const {
  return named_ ? StateScope::named(owner_) : StateScope::of_thread(owner_);
}

std::string StateGet::scope_name() const {
  return (named_ ? "scope '" : "thread '") + printable(owner_) + "'";
}

void StateGet::check_thread(Store& store, const Call& call) const {
  if (named_ || store.thread({owner_}, call)) return;
  throw no_thread("state", owner_, store_name());
}

ExitStatus StateGet::print_document(Store& store, const Call& call) const {
  const auto document = store.state({scope(), *key_}, call);
  if (!document) {
    check_thread(store, call);
    throw Refusal{ExitStatus::failed, "not_found",
                  "no document '" + printable(*key_) + "' in the state of " + scope_name() +
                      "; without a key, `threadkeep state get` lists those that are there"};
  }
  if (json()) {
    std::cout << json_text(json_of(*document)) << "\n";
  } else {
    std::cout << bold(printable(document->key)) << "  version " << document->version << "\n";
    print_lines(std::cout, document->value);
  }
  return ExitStatus::done;
}

ExitStatus StateGet::print_list(Store& store, const Call& call) const {
  StateList query{.scope = scope(), .limit = pages_.page_size(), .cursor = {}};
  const auto read = [&](const std::string& cursor) {
    query.cursor = cursor;
    return store.states(query, call);
  };
  auto first = read(pages_.cursor());
  if (first.items.empty()) check_thread(store, call);
  if (first.items.empty() && !json()) {
    std::cout << "no documents in the state of " << scope_name() << "\n";
    return ExitStatus::done;
  }
  return Listing(form, json(), terminal_width()).print(std::move(first), pages_.all(), read);
}

ExitStatus StateGet::execute() {
  const Call limits = call();
  const auto store = open_store();
  return key_ ? print_document(*store, limits) : print_list(*store, limits);
}

}  // namespace threadkeep::cli
