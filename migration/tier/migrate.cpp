// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/migrate.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "migration/tier/run.hpp"
#include "migration/tier/words.hpp"

namespace threadkeep::migration {

namespace {

std::string text_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const auto& each : problems) {
    text += (text.empty() ? "" : "\n") + each.text + "; " + each.remedy;
  }
  return text;
}

Refused refusal(Problem problem) {
  return Refused(std::vector<Problem>{std::move(problem)});
}

template <typename Event, typename... Arguments>
void tell(const Event& event, Arguments&&... arguments) {
  if (event) event(std::forward<Arguments>(arguments)...);
}

}  // namespace

Refused::Refused(std::vector<Problem> problems)
    : Error(Code::invalid_argument, text_of(problems)),
      problems_(std::make_shared<const std::vector<Problem>>(std::move(problems))) {}

class Migration::Impl {
 public:
  Impl(const std::string& source_url, const std::string& target_url, MigrateOptions options,
       MigrateEvents events, const Call& call)
      : options_(std::move(options)), events_(std::move(events)) {
    source_ = from_source([&] { return tables::open_database(source_url, call); });
    analysis_.source = from_source([&] { return source_->info(call); });
    tell(events_.source, analysis_.source);
    target_ = tables::open_database(target_url, call);
    analysis_.target = target_->info(call);
    tell(events_.target, analysis_.target);
    check_sides();
  }

  const Analysis& analyze(const Call& call) {
    make_plan_now(call);
    auto problems = std::move(analysis_.plan.problems);
    check_run(problems, call);
    check_rows(problems, call);
    if (!problems.empty()) throw Refused(std::move(problems));
    return analysis_;
  }

  const Analysis& analyze_for_verification(const Call& call) {
    make_plan_now(call);
    if (!analysis_.plan.problems.empty()) throw Refused(analysis_.plan.problems);
    return analysis_;
  }

  MigrateReport carry_out(const Call& call) {
    const std::string confirmed = analysis_.plan.hash;
    const auto lock = target_->lock(
        options_.lock_patience, [&](const auto& holder) { tell(events_.waiting, holder); }, call);
    tell(events_.locked, lock->name());
    // Whoever held the lock may have changed the target.
    analyze(call);
    if (analysis_.plan.hash != confirmed) {
      throw refusal({"the tables of source or target have changed since they were looked at",
                     "run the command again"});
    }
    const auto writer = target_->writer(call);
    auto open =
        open_run(*writer, analysis_.source.identity, analysis_.plan.hash, options_.new_run, call);
    tell(events_.run, open.run, open.resumed);
    try {
      return copy_and_verify(*writer, *lock, open, call);
    } catch (const SourceError&) {
      throw;
    } catch (const TooManyRejects&) {
      throw;
    } catch (const Error& error) {
      throw Interrupted(error);
    }
  }

  Verification verify(const Call& call) {
    const auto writer = target_->writer(call);
    return verify_with(*writer, call);
  }

 private:
  void check_sides() const {
    if (analysis_.source.identity == analysis_.target.identity) {
      throw refusal({"source and target are the same database, " + analysis_.source.identity,
                     "give another --target-url"});
    }
    if (auto problem = stands_against(options_.to, analysis_.target)) throw refusal(*problem);
  }

  void make_plan_now(const Call& call) {
    const auto source = from_source([&] { return source_->describe(call); });
    const bool vectors = analysis_.source.vectors == tables::VectorSupport::installed;
    analysis_.plan = make_plan(source, target_->describe(call), vectors, options_.plan);
    from_source([&] {
      const auto snapshot = source_->snapshot(call);
      count_rows(analysis_.plan, *snapshot, call);
    });
  }

  void check_run(std::vector<Problem>& problems, const Call& call) {
    analysis_.unfinished = target_->writer(call)->unfinished_run(call);
    if (!analysis_.unfinished) return;
    if (options_.new_run) {
      analysis_.unfinished.reset();
      return;
    }
    try {
      check_same_run(*analysis_.unfinished, analysis_.source.identity, analysis_.plan.hash);
    } catch (const Error& error) {
      problems.push_back({error.message(), "see the page about migrate-tier"});
    }
  }

  void check_rows(std::vector<Problem>& problems, const Call& call) {
    std::string rows, keyless;
    analysis_.target_rows = 0;
    const auto snapshot = target_->snapshot(call);
    for (const auto& table : analysis_.plan.tables) {
      const auto count = snapshot->count(table.rows.target.table, call);
      if (count == 0) continue;
      analysis_.target_rows += count;
      const std::string text = table.name() + " (" + counted(count, "row") + ")";
      rows += (rows.empty() ? "" : ", ") + text;
      if (table.keyless()) keyless += (keyless.empty() ? "" : ", ") + text;
    }
    if (analysis_.unfinished) return;
    if (!rows.empty() && !options_.allow_non_empty) {
      problems.push_back({"the target is not empty: " + rows,
                          "give another target, or say --allow-non-empty to bring its rows up to "
                          "date"});
    } else if (!keyless.empty()) {
      problems.push_back({"tables without a key are copied into empty ones only: " + keyless,
                          "empty them in the target, or leave them behind with --skip TABLE"});
    }
  }

  MigrateReport copy_and_verify(tables::Writer& writer, tables::MigrationLock& lock, OpenRun& open,
                                const Call& call) {
    copy(writer, lock, open.run, {}, call);
    MigrateReport report;
    report.verification = verify_run(writer, open.run, call);
    if (open.resumed && !report.verification.holds()) {
      const auto names = different_tables(report.verification);
      if (!names.empty()) {
        tell(events_.again, std::vector<std::string>(names.begin(), names.end()));
        copy(writer, lock, open.run, names, call);
        report.verification = verify_run(writer, open.run, call);
      }
    }
    // A run that does not hold goes on when the command is repeated.
    if (report.verification.holds()) writer.finish_run(open.run.id, call);
    report.rejected = rejected_rows(open.run);
    report.run = std::move(open.run);
    return report;
  }

  void copy(tables::Writer& writer, tables::MigrationLock& lock, tables::Run& run,
            const std::set<std::string>& again, const Call& call) {
    const auto snapshot = from_source([&] {
      auto taken = source_->snapshot(call);
      count_rows(analysis_.plan, *taken, call);
      return taken;
    });
    TableCopy copying(analysis_.plan, *snapshot, writer, lock, run,
                      {options_.limits, options_.max_errors, events_.copy});
    if (again.empty()) {
      copying.copy_all(call);
    } else {
      copying.copy_again(again, call);
    }
    tell(events_.sequences, copying.advance_sequences(call));
  }

  Verification verify_with(tables::Writer& writer, const Call& call) {
    tell(events_.verifying);
    const auto source = from_source([&] { return source_->snapshot(call); });
    const auto target = target_->snapshot(call);
    return verify_tables(analysis_.plan, *source, *target, writer, options_.limits, events_.verdict,
                         call);
  }

  Verification verify_run(tables::Writer& writer, const tables::Run& run, const Call& call) {
    return unexpected(verify_with(writer, call), analysis_.plan,
                      {options_.allow_non_empty, run.tables});
  }

  // Those of which another copy may help.
  std::set<std::string> different_tables(const Verification& verification) const {
    std::set<std::string> names;
    for (const auto& verdict : verification.tables) {
      const auto& found = verdict.differences;
      if (analysis_.plan.table(verdict.table).keyless()) continue;
      if (found.missing + found.different > 0) names.insert(verdict.table);
    }
    return names;
  }

  MigrateOptions options_;
  MigrateEvents events_;
  std::unique_ptr<tables::Database> source_;
  std::unique_ptr<tables::Database> target_;
  Analysis analysis_;
};

Migration::Migration(const std::string& source_url, const std::string& target_url,
                     MigrateOptions options, MigrateEvents events, const Call& call)
    : impl_(std::make_unique<Impl>(source_url, target_url, std::move(options), std::move(events),
                                   call)) {}

Migration::~Migration() = default;

const Analysis& Migration::analyze(const Call& call) {
  return impl_->analyze(call);
}

const Analysis& Migration::analyze_for_verification(const Call& call) {
  return impl_->analyze_for_verification(call);
}

MigrateReport Migration::carry_out(const Call& call) {
  return impl_->carry_out(call);
}

Verification Migration::verify(const Call& call) {
  return impl_->verify(call);
}

}  // namespace threadkeep::migration
