// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "layout.hpp"
#include "redis/scripts.hpp"
#include "settings.hpp"

namespace threadkeep::redis {

/// A few bytes of our own, then some that lie elsewhere and must live until they were sent.
struct Text {
  Text(std::string own) : begin(std::move(own)) {}  // NOLINT(google-explicit-constructor)
  Text(const char* own) : begin(own) {}             // NOLINT(google-explicit-constructor)
  Text(std::string own, std::string_view outside) : begin(std::move(own)), data(outside) {}

  std::size_t size() const noexcept { return begin.size() + data.size(); }
  Argument argument() const { return {begin, data}; }

  std::string begin;
  std::string_view data;
};

/// A value that is stored where there is none yet.
struct NewValue {
  std::string field;
  Text value;
};

/// What the server does as a whole or not at all: a script that decides, and values. Scripts copy
/// what they touch, so large values stay outside: then the script runs first and, where it refuses,
/// blocks their fields.
struct Transaction {
  Transaction(const Script& script_to_run, Keys keys_of_thread)
      : script(&script_to_run), keys(std::move(keys_of_thread)) {}

  const Script* script;
  Keys keys;
  std::vector<Text> arguments;
  std::vector<NewValue> values;  ///< Outside the script.
};

/// How a transaction ended.
struct Attempt {
  std::optional<Error> error;
  Reply reply;              ///< Of the script.
  std::int64_t stored = 0;  ///< Of the values outside, those that were new.

  /// The first word of the script's reply, and numbers after it.
  std::string_view verdict() const { return reply[0].view(); }
  std::int64_t number(std::size_t index) const { return reply[index].integer(); }
};

/// Carries out transactions on one connection, all that are given in one round trip.
class Writer {
 public:
  Writer(Connection& connection, const Settings& settings, std::int64_t now, const Call& call)
      : connection_(connection), settings_(settings), now_(now), call_(call) {}

  /// In their order; each by itself. `in_order`: some belong to one thread, so that none may be
  /// sent again after those behind it.
  std::vector<Attempt> run(const std::vector<const Transaction*>& transactions, bool in_order);
  /// One; throws its error.
  Attempt run(const Transaction& transaction);
  std::vector<Reply> read(const Pipeline& pipeline) { return connection_.read(pipeline, call_); }

  const Settings& settings() const noexcept { return settings_; }
  std::int64_t now() const noexcept { return now_; }
  const Call& call() const noexcept { return call_; }
  Connection& connection() noexcept { return connection_; }
  bool connection_lost() const noexcept { return connection_.broken(); }

 private:
  std::vector<Attempt> send(const std::vector<const Transaction*>& transactions, bool whole_text,
                            bool in_order);
  void confirm(const Exchange& exchange, std::size_t commands,
               std::vector<Attempt>& attempts) const;

  Connection& connection_;
  const Settings& settings_;
  const std::int64_t now_;
  const Call& call_;
};

/// Sixteen digits that nobody else has.
std::string new_nonce();

}  // namespace threadkeep::redis
