// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace threadkeep::testing {

/// Stands before a Postgres server and knows when a client commits: one commit can be held, before
/// the server sees it or after it was carried out, while the client waits. Then the test does what
/// it wants to either side, and the connection ends with release(). Thread-safe.
class CommitProxy {
 public:
  enum class Edge {
    before,  ///< The server has not got the commit.
    after,   ///< It has committed, and the client has no answer.
    late,    ///< The server gets it with release(), whatever became of the client.
  };

  explicit CommitProxy(std::uint16_t server_port);
  ~CommitProxy();
  CommitProxy(const CommitProxy&) = delete;
  CommitProxy& operator=(const CommitProxy&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// Holds the commit with this number, from 1, counted from now.
  void hold(int number, Edge edge);
  /// Whether it is held; waits for that no longer than `time`.
  bool wait_until_held(std::chrono::seconds time);
  /// Resets the connection of the commit that is held, unless that is late.
  void release();
  /// Commits since hold(), or the start.
  int commits();

 private:
  struct Session;
  void accept_all();
  void serve(int client);
  bool forward_from_client(Session& session);
  bool forward_from_server(Session& session);
  bool is_commit(Session& session, std::string_view message);
  bool meet_commit(Session& session);
  void stay_held();

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  int commits_ = 0;  // guarded by mutex_, like the next five
  int wanted_ = 0;
  Edge edge_ = Edge::before;
  bool held_ = false;
  bool released_ = false;
  bool ending_ = false;
  std::vector<std::thread> sessions_;
  std::thread acceptor_;
};

}  // namespace threadkeep::testing
