// SPDX-License-Identifier: Apache-2.0
#include "worker.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "threadkeep/testing/draft.hpp"

namespace threadkeep::soak {

namespace {

using namespace std::chrono_literals;
using testing::AccessKind;
using testing::Draft;

// Nothing was done, or one cannot tell; whatever else an error says is a defect.
bool is_outage(Code code) {
  return code == Code::unavailable || code == Code::timeout || code == Code::outcome_unknown;
}

}  // namespace

Worker::Worker(std::shared_ptr<Store> store, unsigned seed, int number)
    : store_(std::move(store)),
      access_(testing::make_access(number % 2 == 0 ? AccessKind::sync : AccessKind::async, store_)),
      name_("worker" + std::to_string(number)),
      random_(seed + static_cast<unsigned>(number)) {
  begin_thread();
}

void Worker::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      step();
    } catch (const std::exception& error) {
      problems_.push_back(name_ + ": " + error.what());
      return;
    }
  }
}

void Worker::compare(Store& store) {
  for (const Ledger& one : ledgers_) one.compare(store, problems_);
}

void Worker::begin_thread() {
  ledgers_.emplace_back(name_ + " thread " + std::to_string(ledgers_.size()));
  key_ = next_id();
}

std::string Worker::next_id() {
  return std::to_string(100'000'000 + ++number_);
}

// Some are in a hurry.
Call Worker::call() {
  const auto time = chance(10) ? std::chrono::milliseconds(random_() % 30) : 3000ms;
  return {Deadline::after(time), {}};
}

void Worker::step() {
  const auto dice = random_() % 100;
  if (ledger().latest().empty() || dice < 35) return put();
  if (dice < 50) return put_writes();
  if (dice < 65) return append();
  if (dice < 75) return put_document();
  if (dice < 77) return erase();
  look();
}

Told Worker::send_once(const Mutation& mutation) {
  try {
    access_->write(mutation, call());
    how_ += "stored ";
    return Told::stored;
  } catch (const Error& error) {
    if (!is_outage(error.code())) throw;
    how_ += error.what() + std::string("; ");
    return error.code() == Code::outcome_unknown ? Told::unknown : Told::refused;
  }
}

// What is not known is sent again, or left alone; once it is unknown, no refusal makes it certain.
Told Worker::send(const std::string& id, const Mutation& mutation) {
  how_.clear();
  Told told = send_once(mutation);
  may_come_late_ = told == Told::unknown;
  while (told != Told::stored && chance(50)) {
    std::this_thread::sleep_for(10ms);
    const Told again = send_once(mutation);
    may_come_late_ = may_come_late_ || again == Told::unknown;
    if (again == Told::stored || told == Told::refused) told = again;
  }
  ledger().note(id, how_);
  ++counts_.writes.at(static_cast<std::size_t>(told));
  return told;
}

void Worker::put() {
  const auto id = next_id();
  auto draft = Draft(ledger().thread_id(), id).value("a", id, value_of(id));
  if (!ledger().latest().empty()) draft.parent(ledger().latest());
  const Told told = send(id, PutCheckpoint(draft));
  ledger().checkpoint(id, told);
}

void Worker::put_writes() {
  const auto task = next_id();
  const Told told = send(task, PutWrites{ledger().thread_id(),
                                         "",
                                         ledger().latest(),
                                         {testing::pending(task, 0, "c", "w" + task)}});
  ledger().write(task, told);
}

void Worker::append() {
  const auto id = next_id();
  AppendMessages append;
  append.thread_id = ledger().thread_id();
  append.operation_id = id;
  append.messages = {{id, "user", "\"" + id + "\"", "{}"}};
  const Told told = send(id, append);
  ledger().message(id, told);
  if (may_come_late_ && told == Told::stored) ledger().may_come_late(id);
}

// What was sent and is not known to have ended may still come, also after it was sent again and
// after others: such a document is left alone.
void Worker::put_document() {
  const auto value = next_id();
  ChangeState change;
  change.scope.thread_id = ledger().thread_id();
  change.changes = {{key_, StateChange::Kind::put, value, {}}};
  const Told told = send(value, change);
  ledger().document(key_, value, told);
  if (may_come_late_) key_ = next_id();
}

void Worker::erase() {
  const Told told = send("deletion", DeleteThread{ledger().thread_id()});
  ledger().deletion(told);
  if (told != Told::refused) begin_thread();
}

void Worker::look() {
  try {
    ledger().look(*store_, call(), problems_);
    ++counts_.reads;
  } catch (const Error& error) {
    if (!is_outage(error.code()) || error.code() == Code::outcome_unknown) throw;
    ++counts_.failed_reads;
  }
}

}  // namespace threadkeep::soak
