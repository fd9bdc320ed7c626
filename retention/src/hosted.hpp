// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "rules.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/retention_host.hpp"

namespace threadkeep::retention {

/// Retention that this program carries out on a store which keeps rows and notes for it: decide()
/// in transactions that exclude other writers.
class HostedRetention final : public Retention {
 public:
  explicit HostedRetention(Host& host) : host_(host) {}

  void install(const Call& call) override;
  void apply(std::span<const Policy> policies, const Call& call) override;
  std::vector<Policy> policies(const Call& call) override;
  void require_archive(bool required, const Call& call) override;
  bool archive_required(const Call& call) override;
  void keep(const KeepTimes& times, const Call& call) override;
  KeepTimes keep_times(const Call& call) override;
  std::vector<Due> preview(const Call& call) override;
  std::vector<Due> preview(std::span<const Policy> policies, const Call& call) override;
  Leftovers leftovers(const KeepTimes& times, const Call& call) override;
  SweepResult sweep(const SweepOptions& options, const Call& call) override;
  std::uint64_t refresh(std::span<const std::string> thread_ids, const Call& call) override;
  std::vector<Run> runs(std::size_t limit, const Call& call) override;
  Page<AuditEntry> audit(const std::string& cursor, std::size_t limit, const Call& call) override;
  ExpiryReport expiry(const Call& call) override { return host_.expiry(call); }
  bool pin(const std::string& thread_id, const Call& call) override;
  bool unpin(const std::string& thread_id, const Call& call) override;
  bool hold(const std::string& thread_id, const std::string& name, const Call& call) override;
  bool release(const std::string& thread_id, const std::string& name, const Call& call) override;
  void expire(const std::string& thread_id, std::optional<std::int64_t> at,
              const Call& call) override;

 private:
  bool mark(const std::string& thread_id, const std::string& kind, const std::string& name,
            bool set, const Call& call);
  Rules rules(const Call& call);
  void read(const Host::Work& work, const Call& call);
  void write(const Host::Work& work, const Call& call);

  Host& host_;
};

/// Throws Error(unsupported) where retention is not installed, or in another version.
void check_installed(Transaction& transaction);

/// Microseconds since 1970: what is older than a time to keep; before everything where that is off.
std::int64_t kept_since(std::chrono::seconds keep, std::int64_t now);

/// The name of the user whose process this is, for the audit.
std::string user_name();

/// Notes what somebody did now.
void note(Transaction& transaction, AuditEntry entry);

}  // namespace threadkeep::retention
