// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/migrate.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "migration/tier/archive_source.hpp"
#include "migration/tier/run.hpp"
#include "migration/tier/store_side.hpp"
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

bool is_lasting(const Error& error) noexcept {
  switch (error.code()) {
    case Code::invalid_argument:
    case Code::corrupt:
    case Code::denied:
    case Code::unsupported:
    case Code::no_space:
    case Code::internal:
      return true;
    default:  // Constraints are told as conflicts, like a lock that was lost.
      return error.native().starts_with("23") || error.native().starts_with("SQLITE_CONSTRAINT");
  }
}

}  // namespace

void end_in_the_middle(const Error& error) {
  if (is_lasting(error)) throw TargetRefused(error);
  throw Interrupted(error);
}

Refused::Refused(std::vector<Problem> problems)
    : Error(Code::invalid_argument, text_of(problems)),
      problems_(std::make_shared<const std::vector<Problem>>(std::move(problems))) {}

class Migration::Impl {
 public:
  Impl(const std::string& source_url, const std::string& target_url, MigrateOptions options,
       MigrateEvents events, const Call& call)
      : target_url_(target_url), options_(std::move(options)), events_(std::move(events)) {
    open_source(source_url, call);
    tell(events_.source, analysis_.source);
    open_target(call);
    tell(events_.target, analysis_.target);
    check_sides();
  }

  const Analysis& analyze(const Call& call) {
    make_plan_now(call);
    count_rows_now(call);
    check(call);
    return analysis_;
  }

  const Analysis& analyze_for_verification(const Call& call) {
    make_plan_now(call);
    count_rows_now(call);
    if (!analysis_.plan.problems.empty()) throw Refused(analysis_.plan.problems);
    return analysis_;
  }

  MigrateReport carry_out(const Call& call) {
    return has_tables() ? carry_out_under_lock(call) : carry_out_threads(call);
  }

  Comparison verify(const Call& call) {
    Comparison comparison;
    if (has_tables()) {
      const auto writer = target_->writer(call);
      comparison.tables = verify_with(*writer, {}, call);
    } else {
      tell(events_.verifying);
    }
    if (source_store_) comparison.store = compare_threads(call);
    return comparison;
  }

 private:
  void open_source(const std::string& url, const Call& call) {
    try {
      from_source([&] { read_source(url, call); });
    } catch (const SourceError& error) {
      // A URL that cannot be right, whatever the source is like: no server has said so.
      if (error.code() != Code::invalid_argument || !error.native().empty()) throw;
      throw refusal({"the source cannot be opened: " + error.message(), "mend --from"});
    }
  }

  void read_source(const std::string& url, const Call& call) {
    source_ = tables_at(url, call);
    analysis_.source = source_ ? source_->info(call) : info_of_store(url);
    if (const auto file = archive_of(url)) {
      archive_.emplace(*file, call);
      source_store_ = archive_->store();
    } else if (may_have_threads()) {
      source_store_ = existing_store(url, call);
    }
  }

  // A store makes a new file of its own; tables are made by their application.
  void open_target(const Call& call) {
    try {
      target_ = tables_at(target_url_, call);
    } catch (const Error& error) {
      if (error.native() != tables::no_file) throw;
      if (source_) {
        throw refusal({error.message(),
                       "the application's own migrations create its tables in the target, and "
                       "`threadkeep setup` a store for threads"});
      }
    }
    analysis_.target = target_ ? target_->info(call) : info_of_store(target_url_);
  }

  // PGlite serves one connection, and that reads the tables.
  bool may_have_threads() const {
    return !source_ || (analysis_.source.has_store && analysis_.source.engine != "pglite");
  }

  // Throws Refused for what stands against it.
  void check(const Call& call) {
    auto problems = std::move(analysis_.plan.problems);
    if (has_tables()) {
      check_run(problems, call);
      check_rows(problems, call);
    }
    check_threads(problems, call);
    if (!problems.empty()) throw Refused(std::move(problems));
  }

  bool has_tables() const { return source_ != nullptr && target_ != nullptr; }

  MigrateReport carry_out_under_lock(const Call& call) {
    const std::string confirmed = analysis_.plan.hash;
    const auto lock = lock_tables(call);
    tell(events_.locked, lock->name());
    // Whoever held the lock may have changed the target.
    make_plan_now(call);
    take_source_rows(call);
    check(call);
    if (analysis_.plan.hash != confirmed) {
      throw refusal({"the tables of source or target have changed since they were looked at",
                     "run the command again"});
    }
    const auto writer = target_->writer(call);
    auto open = begin_or_go_on(*writer, call);
    tell(events_.run, open.run, open.resumed);
    try {
      return copy_and_verify(*writer, *lock, open, call);
    } catch (const SourceError&) {
      throw;
    } catch (const TooManyRejects&) {
      throw;
    } catch (const Refused&) {
      throw;
    } catch (const Error& error) {
      end_in_the_middle(error);
    }
  }

  // What the target refuses here it has refused before anything was written.
  OpenRun begin_or_go_on(tables::Writer& writer, const Call& call) {
    try {
      return open_run(writer, analysis_.source.identity, analysis_.plan.hash, options_.new_run,
                      call);
    } catch (const Error& error) {
      if (is_lasting(error)) throw;
      throw Interrupted(error);
    }
  }

  MigrateReport carry_out_threads(const Call& call) {
    MigrateReport report;
    if (!source_store_) return report;
    const auto target = store_at(target_url_, call);
    const auto lock = lock_threads(*target, call);
    try {
      take_threads(report, *target, lock.get(), call);
    } catch (const SourceError&) {
      throw;
    } catch (const Refused&) {
      throw;
    } catch (const Error& error) {
      end_in_the_middle(error);
    }
    return report;
  }

  std::unique_ptr<tables::MigrationLock> lock_tables(const Call& call) {
    return target_->lock(options_.lock_patience, events_.waiting, call);
  }

  // A file that was not there has tables by now.
  std::unique_ptr<tables::MigrationLock> lock_threads(Store& target, const Call& call) {
    if (!target_) target_ = tables_at(target_url_, call);
    auto lock = target_ ? lock_tables(call)
                        : lock_store(target, options_.lock_patience, events_.waiting, call);
    if (lock) tell(events_.locked, lock->name());
    return lock;
  }

  void take_threads(MigrateReport& report, Store& target, tables::MigrationLock* lock,
                    const Call& call) {
    report.store = copy_store(*source_store_, target, store_options(lock, call), call);
    tell(events_.store, *report.store);
    if (report.store->ok()) report.compared_store = compare_threads(call);
  }

  // Without a lock where nobody else can reach the target.
  StoreCopyOptions store_options(tables::MigrationLock* lock, const Call& call) const {
    StoreCopyOptions options;
    if (events_.store_problem) options.problem = events_.store_problem;
    options.progress = [this, lock, &call](const auto& progress) {
      if (lock != nullptr) lock->check(call);
      tell(events_.store_progress, progress);
    };
    return options;
  }

  // Of threads that only the target has nothing is said where it had some before.
  StoreReport compare_threads(const Call& call) {
    const auto target = existing_store(target_url_, call);
    if (!target) {
      throw Refused(
          std::vector<Problem>{{"the source has threads, and the target has no store of threads",
                                "migrate them first"}});
    }
    StoreCopyOptions options;
    const auto is_expected = [&](const StoreProblem& problem) {
      return problem.kind == StoreProblemKind::extra && options_.allow_non_empty;
    };
    std::uint64_t expected = 0;  // the report lists some of them only
    options.problem = [&](const StoreProblem& problem) {
      is_expected(problem) ? void(++expected) : tell(events_.store_problem, problem);
    };
    StoreReport report = verify_store(*source_store_, *target, options, call);
    std::erase_if(report.problems, is_expected);
    report.problem_count -= expected;
    return report;
  }

  void check_threads(std::vector<Problem>& problems, const Call& call) {
    if (!source_store_) return;
    analysis_.store = from_source([&] { return count_store(*source_store_, call); });
    const auto target = existing_store(target_url_, call);
    if (!target) return check_room_for_store(problems, call);
    analysis_.target_threads = count_store(*target, call).threads;
    if (analysis_.target_threads == 0 || analysis_.unfinished || options_.allow_non_empty) return;
    // Without tables nothing remembers a run that was interrupted, and threads that are there stay
    // as they are anyway.
    if (!has_tables()) return;
    problems.push_back({"the target has " + counted(analysis_.target_threads, "thread"),
                        "give another target, or say --allow-non-empty: threads that are there "
                        "stay as they are"});
  }

  // A store goes into a file of its own, or is there before an application adds its tables.
  void check_room_for_store(std::vector<Problem>& problems, const Call& call) {
    if (!target_ || analysis_.target.engine != "sqlite") return;
    if (target_->describe(call).tables.empty()) return;
    problems.push_back({"the target file has tables of an application and no store for the threads",
                        "begin with a new file: run `threadkeep setup` on it before the "
                        "application makes its tables"});
  }

  void check_sides() const {
    if (analysis_.source.identity == analysis_.target.identity) {
      throw refusal({"source and target are the same database, " + analysis_.source.identity,
                     "give another --target-url"});
    }
    for (const auto* side : {&analysis_.source, &analysis_.target}) {
      if (side->engine != "memory") continue;
      throw refusal({"a store in memory can be reached by its own process only",
                     "export its threads there, and give the file as --from; or name a file"});
    }
    if (!target_ && analysis_.target.engine != "sqlite") return;
    if (auto problem = stands_against(options_.to, analysis_.target)) throw refusal(*problem);
  }

  // Redis has no tables: those of the source have nowhere to go.
  void plan_without_tables(const Call& call) {
    if (!source_) return;
    const auto schema = from_source([&] { return source_->describe(call); });
    const SkipList skip(options_.plan.skip);
    for (const auto& table : schema.tables) {
      if (skip.reason(table.name)) continue;
      analysis_.plan.problems.push_back(
          {quoted(table.name) + " has no place in " + analysis_.target.engine,
           "give a target of SQLite or Postgres, or leave it behind with --skip " + table.name});
    }
  }

  void make_plan_now(const Call& call) {
    analysis_.plan = {};
    if (!has_tables()) return plan_without_tables(call);
    const auto source = from_source([&] { return source_->describe(call); });
    const bool vectors = analysis_.source.vectors == tables::VectorSupport::installed;
    analysis_.plan = make_plan(source, target_->describe(call), vectors, options_.plan);
    if (analysis_.source.has_store && analysis_.source.engine == "pglite") {
      analysis_.plan.notes.emplace_back(
          "Checkpoints in PGlite stay behind: it serves one connection at a time. Export them from "
          "the application.");
    }
  }

  void count_rows_now(const Call& call) {
    if (!has_tables()) return;
    from_source([&] {
      const auto snapshot = source_->snapshot(call);
      count_rows(analysis_.plan, *snapshot, call);
    });
  }

  // What is copied, and is counted therefore.
  void take_source_rows(const Call& call) {
    source_rows_.reset();  // before the next one: PGlite has one connection
    from_source([&] {
      source_rows_ = source_->snapshot(call);
      count_rows(analysis_.plan, *source_rows_, call);
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
      // Told when the lock was not held yet, and without a say in what is done now.
      if (source_rows_ && options_.allow_non_empty && !table.keyless()) continue;
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
    const bool equal = copy(writer, lock, open.run, {}, call);
    MigrateReport report;
    report.verification = verify_run(writer, open.run, equal, call);
    if (open.resumed && !report.verification.holds()) {
      const auto names = different_tables(report.verification);
      if (!names.empty()) {
        tell(events_.again, std::vector<std::string>(names.begin(), names.end()));
        copy(writer, lock, open.run, names, call);
        report.verification = verify_run(writer, open.run, false, call);
      }
    }
    if (source_store_) take_threads(report, *store_at(target_url_, call), &lock, call);
    // A run that does not hold goes on when the command is repeated.
    if (report.holds()) writer.finish_run(open.run.id, call);
    report.rejected = rejected_rows(open.run);
    report.run = std::move(open.run);
    return report;
  }

  // A file makes no digests, and may not be read by others while a group is written.
  std::function<std::unique_ptr<tables::Snapshot>(const Call&)> target_snapshots() const {
    if (analysis_.target.engine == "sqlite") return {};
    return [this](const Call& call) { return target_->snapshot(call); };
  }

  // Whether there was nothing to do, because the rows are equal.
  bool copy(tables::Writer& writer, tables::MigrationLock& lock, tables::Run& run,
            const std::set<std::string>& again, const Call& call) {
    if (!source_rows_) take_source_rows(call);
    // A table that was empty may have rows by now that have nowhere to go.
    if (!analysis_.plan.problems.empty()) throw Refused(analysis_.plan.problems);
    const MoreJobs more = open_jobs(call);
    TableCopy copying(analysis_.plan, more.with({*source_rows_, writer}), lock, run,
                      {options_.limits, options_.max_errors, events_.copy, target_snapshots()});
    if (again.empty()) {
      copying.copy_all(call);
    } else {
      copying.copy_again(again, call);
    }
    tell(events_.sequences, copying.advance_sequences(call));
    copied_ = std::move(copying).copied_ranges();
    return copying.found_all_equal();
  }

  /// What jobs beside the first one read and write.
  struct MoreJobs {
    std::vector<std::unique_ptr<tables::Snapshot>> sources;
    std::vector<std::unique_ptr<tables::Writer>> writers;

    std::vector<Job> with(Job first) const {
      std::vector<Job> all = {first};
      for (std::size_t i = 0; i < sources.size(); ++i) all.push_back({*sources[i], *writers[i]});
      return all;
    }
  };

  // A file has one writer, and moments that cannot be shared; PGlite has one connection.
  MoreJobs open_jobs(const Call& call) {
    MoreJobs more;
    if (analysis_.source.engine != "postgres" || analysis_.target.engine != "postgres") return more;
    const auto jobs = std::min(options_.jobs, analysis_.plan.steps.size());
    for (std::size_t i = 1; i < jobs; ++i) {
      more.sources.push_back(from_source([&] { return source_rows_->same_moment(call); }));
      more.writers.push_back(target_->writer(call));
    }
    return more;
  }

  Verification verify_with(tables::Writer& writer, VerifyOptions options, const Call& call) {
    tell(events_.verifying);
    options.limits = options_.limits;
    options.copied = &copied_;
    options.each = events_.verdict;
    from_source([&] {
      source_rows_ ? source_rows_->renew(call) : void(source_rows_ = source_->snapshot(call));
    });
    const auto source = std::move(source_rows_);
    const auto target = target_->snapshot(call);
    return verify_tables(analysis_.plan, *source, *target, writer, options, call);
  }

  Verification verify_run(tables::Writer& writer, const tables::Run& run, bool rows_are_equal,
                          const Call& call) {
    VerifyOptions options;
    options.rows_are_equal = rows_are_equal;
    if (rejected_rows(run) > 0) {
      options.rejected = [&](const std::string& table) {
        const auto keys = writer.rejected_keys(run.id, table, call);
        return std::set<std::string>(keys.begin(), keys.end());
      };
    }
    return unexpected(verify_with(writer, std::move(options), call), analysis_.plan,
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

  const std::string target_url_;
  MigrateOptions options_;
  MigrateEvents events_;
  std::optional<ArchiveSource> archive_;  // Outlives its store.
  std::shared_ptr<Store> source_store_;
  std::unique_ptr<tables::Database> source_;
  std::unique_ptr<tables::Database> target_;
  Analysis analysis_;
  std::unique_ptr<tables::Snapshot> source_rows_;  // Of the last copy or comparison.
  CopiedRanges copied_;                            // Of the last copy.
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

tables::Counts MigrateReport::counts() const {
  tables::Counts all;
  for (const auto& table : run.tables) {
    if (table.pass == 1) all += table.counts;
  }
  return all;
}

MigrateReport Migration::carry_out(const Call& call) {
  return impl_->carry_out(call);
}

Comparison Migration::verify(const Call& call) {
  try {
    return impl_->verify(call);
  } catch (const SourceError&) {
    throw;
  } catch (const Refused&) {
    throw;
  } catch (const Error& error) {
    throw Interrupted(error);
  }
}

}  // namespace threadkeep::migration
