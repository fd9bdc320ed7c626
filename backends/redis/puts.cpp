// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>

#include "overloaded.hpp"
#include "step.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::redis {

namespace {

std::string flag(bool value) {
  return value ? "1" : "";
}

Written counted(const Attempt& attempt) {
  return {.changed = static_cast<std::uint64_t>(attempt.number(1)),
          .kept = static_cast<std::uint64_t>(attempt.number(2)),
          .dropped = 0};
}

class PutStep final : public Step {
 public:
  PutStep(const PutCheckpoint& put, const Settings& settings, std::int64_t now)
      : put_(put), settings_(settings), now_(now), before_(encode_before_document(put)) {
    std::size_t size = before_.size() + put.document.size();
    for (const Blob& blob : put.blobs) size += blob.data.size();
    outside_ = size > settings.script_bytes;
  }

  Transaction transaction() const override {
    const auto run = run_id(put_.metadata);
    Transaction out(scripts::put, {settings_.prefix, put_.thread_id});
    out.arguments = {put_.thread_id,
                     std::to_string(settings_.ttl.count()),
                     std::to_string(now_),
                     new_nonce(),
                     put_.checkpoint_ns,
                     put_.checkpoint_id,
                     put_.parent_checkpoint_id.value_or(""),
                     flag(put_.require_latest_parent),
                     run ? "+" + *run : "",
                     flag(outside_)};
    add_content(out);
    for (const Blob& blob : put_.blobs) {
      add_value(out, blob_field(put_.checkpoint_ns, blob.channel, blob.version),
                {encode_before_data(blob), blob.data.view()});
    }
    return out;
  }

  std::optional<Written> finish(const Attempt& attempt) override {
    const auto verdict = attempt.verdict();
    if (verdict == "compare") return compare(attempt.reply[1]);
    if (verdict == "deleted") {
      throw Error(Code::conflict, "parent_checkpoint_id '" + put_.parent_checkpoint_id.value() +
                                      "' was deleted; load the thread again and go on from there");
    }
    if (verdict == "moved") {
      throw Error(Code::conflict,
                  "parent_checkpoint_id is not the latest checkpoint any more; load the thread "
                  "again and go on from there");
    }
    Written written = counted(attempt);
    if (outside_) count_outside(attempt, written);
    return written;
  }

  bool may_repeat() const override { return put_.require_latest_parent; }

 private:
  void add_content(Transaction& out) const {
    // Only a put that demands the latest parent needs to know whether it is stored already.
    const bool compared = found_.has_value();
    if (!put_.require_latest_parent) {
      out.arguments.emplace_back("");
    } else if (compared) {
      out.arguments.emplace_back(*found_);
    } else {
      out.arguments.emplace_back(before_, put_.document);
    }
    out.arguments.emplace_back(flag(compared ? found_equal_ : true));
    if (outside_) {
      out.arguments.emplace_back("");
      out.values.push_back({checkpoint_field(place(put_.checkpoint_ns, put_.checkpoint_id)),
                            {before_, put_.document}});
    } else {
      out.arguments.emplace_back(before_, put_.document);
    }
  }

  void add_value(Transaction& out, std::string field, Text value) const {
    out.arguments.emplace_back(field);
    if (!outside_) return out.arguments.push_back(std::move(value));
    out.arguments.emplace_back("");
    out.values.push_back({std::move(field), std::move(value)});
  }

  std::optional<Written> compare(const Reply& found) {
    found_ = found.text();
    const Content content = decode_content(*found_);
    found_equal_ = content.parent_checkpoint_id == put_.parent_checkpoint_id &&
                   json_equal(content.document, put_.document) &&
                   json_equal(content.metadata, put_.metadata);
    return {};
  }

  // The script counts the checkpoint, whose content is the first of the values outside; it is new
  // there exactly when the script has let it in.
  void count_outside(const Attempt& attempt, Written& written) const {
    const auto blobs = static_cast<std::int64_t>(put_.blobs.size());
    const auto fresh = attempt.stored - static_cast<std::int64_t>(written.changed);
    written.changed += static_cast<std::uint64_t>(fresh);
    written.kept += static_cast<std::uint64_t>(blobs - fresh);
  }

  const PutCheckpoint& put_;
  const Settings& settings_;
  const std::int64_t now_;
  const std::string before_;
  bool outside_ = false;
  std::optional<std::string> found_;  // what is stored, once it had to be compared
  bool found_equal_ = false;
};

class PutWritesStep final : public Step {
 public:
  PutWritesStep(const PutWrites& put, const Settings& settings, std::int64_t now)
      : put_(put), settings_(settings), now_(now) {
    // The last special write of a key counts, so those before it need not be sent.
    std::map<std::string, std::size_t> last;
    for (std::size_t i = 0; i < put.writes.size(); ++i) {
      if (put.writes[i].idx < 0) last[write_suffix(put.writes[i])] = i;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < put.writes.size(); ++i) {
      const PendingWrite& write = put.writes[i];
      if (write.idx < 0 && last.at(write_suffix(write)) != i) continue;
      sent_.push_back(&write);
      size += write.data.size() + write.task_path.size();
    }
    outside_ = size > settings.script_bytes;
  }

  Transaction transaction() const override {
    Transaction out(scripts::put_writes, {settings_.prefix, put_.thread_id});
    out.arguments = {put_.thread_id,     std::to_string(settings_.ttl.count()),
                     put_.checkpoint_ns, put_.checkpoint_id,
                     flag(outside_),     std::to_string(now_)};
    const std::string start = "w" + place(put_.checkpoint_ns, put_.checkpoint_id) + '\0';
    for (const PendingWrite* write : sent_) {
      const std::string suffix = write_suffix(*write);
      out.arguments.emplace_back(suffix);
      out.arguments.emplace_back(flag(write->idx < 0));
      Text value(encode_before_data(*write), write->data.view());
      if (outside_) {
        out.arguments.emplace_back("");
        out.values.push_back({start + suffix, std::move(value)});
      } else {
        out.arguments.push_back(std::move(value));
      }
    }
    return out;
  }

  std::optional<Written> finish(const Attempt& attempt) override {
    if (attempt.verdict() == "dropped") return Written{.dropped = put_.writes.size()};
    const std::size_t omitted = put_.writes.size() - sent_.size();
    Written written = counted(attempt);
    if (outside_) {
      written.changed = static_cast<std::uint64_t>(attempt.stored);
      written.kept = sent_.size() - written.changed;
    }
    written.changed += omitted;
    return written;
  }

 private:
  const PutWrites& put_;
  const Settings& settings_;
  const std::int64_t now_;
  std::vector<const PendingWrite*> sent_;
  bool outside_ = false;
};

class PutThreadStep final : public Step {
 public:
  PutThreadStep(const PutThread& put, const Settings& settings, std::int64_t now)
      : put_(put), settings_(settings), now_(now) {}

  Transaction transaction() const override {
    Transaction out(scripts::put_thread, {settings_.prefix, put_.thread_id});
    out.arguments = {put_.thread_id, std::to_string(settings_.ttl.count()), std::to_string(now_),
                     new_nonce()};
    out.arguments.emplace_back("", put_.metadata);
    out.arguments.emplace_back(flag(json_equal("{}", put_.metadata)));
    out.arguments.emplace_back(found_ ? "+" + *found_ : "");
    return out;
  }

  std::optional<Written> finish(const Attempt& attempt) override {
    if (attempt.verdict() != "compare") return counted(attempt);
    found_ = attempt.reply[1].text();
    if (json_equal(*found_, put_.metadata)) return Written{.kept = 1};
    return {};
  }

  bool may_repeat() const override { return true; }

 private:
  const PutThread& put_;
  const Settings& settings_;
  const std::int64_t now_;
  std::optional<std::string> found_;
};

// DeleteThread and Prune: the script knows all that it needs.
class DeletionStep final : public Step {
 public:
  DeletionStep(const Script& script, const std::string& thread_id, const Settings& settings,
               std::int64_t now)
      : script_(script), thread_id_(thread_id), settings_(settings), now_(now) {}

  Transaction transaction() const override {
    Transaction out(script_, {settings_.prefix, thread_id_});
    out.arguments = {thread_id_, std::to_string(settings_.ttl.count()), new_nonce(),
                     std::to_string(now_)};
    return out;
  }
  std::optional<Written> finish(const Attempt& attempt) override { return counted(attempt); }

 private:
  const Script& script_;
  const std::string& thread_id_;
  const Settings& settings_;
  const std::int64_t now_;
};

}  // namespace

std::unique_ptr<Step> make_step(const Mutation& mutation, const Settings& settings,
                                std::int64_t now) {
  using Result = std::unique_ptr<Step>;
  return std::visit(
      Overloaded{[&](const PutCheckpoint& m) -> Result {
                   return std::make_unique<PutStep>(m, settings, now);
                 },
                 [&](const PutWrites& m) -> Result {
                   return std::make_unique<PutWritesStep>(m, settings, now);
                 },
                 [&](const PutThread& m) -> Result {
                   return std::make_unique<PutThreadStep>(m, settings, now);
                 },
                 [&](const DeleteThread& m) -> Result {
                   return std::make_unique<DeletionStep>(scripts::delete_thread, m.thread_id,
                                                         settings, now);
                 },
                 [&](const Prune& m) -> Result {
                   return std::make_unique<DeletionStep>(scripts::prune, m.thread_id, settings,
                                                         now);
                 },
                 [&](const auto&) -> Result { return make_session_step(mutation, settings, now); }},
      mutation);
}

}  // namespace threadkeep::redis
