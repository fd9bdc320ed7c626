// SPDX-License-Identifier: Apache-2.0
#include "migrate_refusal.hpp"

#include <migration/tier/migrate.hpp>

#include "refusal.hpp"

namespace threadkeep::cli {

namespace {

Refusal refusal(ExitStatus status, const Error& error, const std::string& what) {
  return {status, std::string(to_string(error.code())), what + ": " + error.what()};
}

// What another attempt may not meet. A lock that another migration has is a reason to refuse.
bool is_interruption(const Error& error) noexcept {
  if (error.native() == tables::lock_held) return false;
  return error.code() == Code::unavailable || error.code() == Code::timeout ||
         error.code() == Code::cancelled;
}

}  // namespace

ExitStatus or_refusal(const std::string& nothing, const std::function<ExitStatus()>& work) {
  try {
    return work();
  } catch (const migration::Refused& refused) {
    throw Refusal{ExitStatus::usage, "refused", refused.message()};
  } catch (const migration::SourceError& error) {
    throw refusal(ExitStatus::source_failed, error, "the source cannot be read");
  } catch (const migration::TargetRefused& error) {
    throw refusal(ExitStatus::failed, error,
                  "the target refuses, and would do so again; mend that and run the same command, "
                  "which goes on from here");
  } catch (const migration::Interrupted& error) {
    throw refusal(ExitStatus::interrupted, error,
                  "interrupted; the same command goes on from here");
  } catch (const Error& error) {
    throw refusal(is_interruption(error) ? ExitStatus::interrupted : ExitStatus::usage, error,
                  nothing);
  }
}

}  // namespace threadkeep::cli
