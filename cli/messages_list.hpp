// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "listing.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep messages list`: a page of the messages of a stream, the newest ones, or all.
class MessagesList final : public StoreCommand {
 public:
  explicit MessagesList(CLI::App& messages);

 private:
  ExitStatus execute() override;
  /// The first page, or the tail.
  Page<Message> read_first(Store& store, const MessageList& query, const Call& call) const;
  /// For people, or the Refusal where there is no such thread.
  void say_that_there_are_none(Store& store, const Call& call) const;

  std::string thread_id_;
  std::string stream_;
  std::optional<std::size_t> tail_;
  std::int64_t after_ = 0;
  PageOptions pages_;
};

}  // namespace threadkeep::cli
