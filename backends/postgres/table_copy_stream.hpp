// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connection.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::postgres {

/// One COPY in text format on a connection, which serves nothing else until it has ended. Rows
/// stream in both directions: no more than a few of them are held here. Every function ends when
/// its call's deadline passes or its stop is requested; the connection is broken then, as it is
/// when the rows of a COPY TO were not read to their end.
///
/// Refers to the connection. Not thread-safe.
class CopyStream {
 public:
  /// Begins `COPY ... TO STDOUT`. Throws Error.
  static CopyStream out(Connection& connection, const std::string& sql, const Call& call);
  /// Carries out `COPY ... FROM STDIN` with these lines; how many rows were written. What the
  /// server refuses is an Error, and Connection::last_refusal() says more; the transaction has
  /// failed then.
  static std::uint64_t in(Connection& connection, const std::string& sql, std::string_view lines,
                          const Call& call);

  CopyStream(CopyStream&&) noexcept = default;
  CopyStream& operator=(CopyStream&&) = delete;
  CopyStream(const CopyStream&) = delete;
  CopyStream& operator=(const CopyStream&) = delete;
  ~CopyStream() = default;

  /// The next line, with its end; valid until the next call. Absent after the last.
  std::optional<std::string_view> next(const Call& call);

 private:
  explicit CopyStream(Connection& connection) : connection_(connection) {}

  void begin(const std::string& sql, ExecStatusType wanted, const Call& call);
  int get_row();
  std::uint64_t send(std::string_view lines, const Call& call);
  void put(std::string_view part, const Call& call);
  void end_input(const Call& call);
  std::uint64_t finish(const Call& call);
  void end_of_answers(const Call& call);
  std::shared_ptr<PGresult> result(const Call& call);
  void flush(const Call& call);
  void wait(short events, const Call& call);
  [[noreturn]] void lose();
  PGconn* handle() const noexcept { return connection_.handle_.get(); }

  struct Free {
    void operator()(char* row) const noexcept { PQfreemem(row); }
  };

  Connection& connection_;
  std::unique_ptr<char, Free> row_;
  bool ended_ = false;
};

}  // namespace threadkeep::postgres
