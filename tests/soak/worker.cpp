// SPDX-License-Identifier: Apache-2.0
#include "worker.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "threadkeep/testing/draft.hpp"

namespace threadkeep::soak {

namespace {

using namespace std::chrono_literals;
using testing::AccessKind;
using testing::Draft;

constexpr unsigned first_id = 100'000'000;

// Nothing was done, or one cannot tell; whatever else an error says is a defect.
bool is_outage(Code code) {
  return code == Code::unavailable || code == Code::timeout || code == Code::outcome_unknown ||
         code == Code::no_space;
}

std::string thread_of(const std::string& worker, std::size_t number) {
  return worker + " thread " + std::to_string(number);
}

}  // namespace

void Result::add(const Result& other) {
  for (std::size_t i = 0; i < writes.size(); ++i) writes.at(i) += other.writes.at(i);
  reads += other.reads;
  failed_reads += other.failed_reads;
  problems.insert(problems.end(), other.problems.begin(), other.problems.end());
}

std::deque<Ledger> ledgers_of(const std::string& worker, const std::vector<Entry>& entries) {
  std::deque<Ledger> ledgers;
  for (const Entry& entry : entries) {
    while (ledgers.size() <= entry.thread) ledgers.emplace_back(thread_of(worker, ledgers.size()));
    ledgers.at(entry.thread).take(entry);
  }
  return ledgers;
}

Worker::Worker(std::shared_ptr<Store> store, const Options& options)
    : store_(std::move(store)),
      access_(
          testing::make_access(options.is_async ? AccessKind::async : AccessKind::sync, store_)),
      name_(options.name),
      random_(options.seed),
      diary_(options.diary) {
  const auto before = Diary::read(options.diary).entries;
  before.empty() ? begin_thread() : resume(before);
}

void Worker::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      step();
    } catch (const std::exception& error) {
      result_.problems.push_back(name_ + ": " + error.what());
      diary_.sees(result_.problems.back());
      return;
    }
  }
  diary_.ends(result_.reads, result_.failed_reads);
}

void Worker::compare(Store& store) {
  for (const Ledger& one : ledgers_) one.compare(store, result_.problems);
}

void Worker::begin_thread() {
  ledgers_.emplace_back(thread_of(name_, ledgers_.size()));
  key_ = next_id();
}

// No id is taken twice, and a document that may be written late is left alone.
void Worker::resume(const std::vector<Entry>& entries) {
  ledgers_ = ledgers_of(name_, entries);
  for (const Entry& entry : entries) {
    for (const auto& id : {entry.id, entry.value}) {
      if (id.size() == 9) {
        number_ = std::max(number_, static_cast<unsigned>(std::stoul(id)) - first_id);
      }
    }
  }
  key_ = next_id();
  const Entry& last = entries.back();
  if (last.kind == Entry::Kind::deletion && last.told != Told::refused) begin_thread();
}

std::string Worker::next_id() {
  return std::to_string(first_id + ++number_);
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
  look(&Ledger::look_at_latest);
  look(&Ledger::look_at_message);
  look(&Ledger::look_at_documents);
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
Told Worker::send(Entry entry, const Mutation& mutation) {
  entry.thread = ledgers_.size() - 1;
  diary_.sends(entry);
  how_.clear();
  Told told = send_once(mutation);
  may_come_late_ = told == Told::unknown;
  while (told != Told::stored && chance(50)) {
    std::this_thread::sleep_for(10ms);
    const Told again = send_once(mutation);
    may_come_late_ = may_come_late_ || again == Told::unknown;
    if (again == Told::stored || told == Told::refused) told = again;
  }
  entry.told = told;
  entry.late = may_come_late_;
  entry.how = how_;
  diary_.is_told(entry);
  ledger().take(entry);
  ++result_.writes.at(static_cast<std::size_t>(told));
  return told;
}

void Worker::put() {
  const auto id = next_id();
  auto draft = Draft(ledger().thread_id(), id).value("a", id, value_of(id));
  if (!ledger().latest().empty()) draft.parent(ledger().latest());
  send({.kind = Entry::Kind::checkpoint, .id = id}, PutCheckpoint(draft));
}

void Worker::put_writes() {
  const auto task = next_id();
  send({.kind = Entry::Kind::write, .id = task},
       PutWrites{ledger().thread_id(),
                 "",
                 ledger().latest(),
                 {testing::pending(task, 0, "c", "w" + task)}});
}

void Worker::append() {
  const auto id = next_id();
  AppendMessages append;
  append.thread_id = ledger().thread_id();
  append.operation_id = id;
  append.messages = {{id, "user", "\"" + id + "\"", "{}"}};
  send({.kind = Entry::Kind::message, .id = id}, append);
}

// What was sent and is not known to have ended may still come, also after it was sent again and
// after others: such a document is left alone.
void Worker::put_document() {
  const auto value = next_id();
  ChangeState change;
  change.scope.thread_id = ledger().thread_id();
  change.changes = {{key_, StateChange::Kind::put, value, {}}};
  send({.kind = Entry::Kind::document, .id = key_, .value = value}, change);
  if (may_come_late_) key_ = next_id();
}

void Worker::erase() {
  const Told told =
      send({.kind = Entry::Kind::deletion, .id = "deletion"}, DeleteThread{ledger().thread_id()});
  if (told != Told::refused) begin_thread();
}

void Worker::look(Look at) {
  const auto before = result_.problems.size();
  try {
    (ledger().*at)(*store_, call(), result_.problems);
    ++result_.reads;
  } catch (const Error& error) {
    if (!is_outage(error.code()) || error.code() == Code::outcome_unknown) throw;
    ++result_.failed_reads;
  }
  for (auto i = before; i < result_.problems.size(); ++i) diary_.sees(result_.problems[i]);
}

}  // namespace threadkeep::soak
