// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "layout.hpp"
#include "statement.hpp"
#include "threadkeep/model.hpp"

namespace threadkeep::postgres {

/// What a listing of checkpoints has, on which the text of its statement depends. The values are
/// parameters, in this order: thread_id, checkpoint_ns, checkpoint_id, before; the position to go
/// on after, as checkpoint_id, thread_id, checkpoint_ns; key and value of each condition; one more
/// than the items of a page; the bytes of a page.
struct ListShape {
  bool thread_id = false;
  bool checkpoint_ns = false;
  bool checkpoint_id = false;
  bool before = false;
  bool after = false;
  bool values = true;
  bool writes = true;
  std::size_t conditions = 0;  ///< On the metadata.

  friend auto operator<=>(const ListShape&, const ListShape&) = default;
};

/// The statements of reads, made for one layout. Const use is thread-safe.
///
/// A text has a condition or does not have it. There is no `$1 IS NULL OR ...`, because plans are
/// made once, without looking at the parameters. So there are hundreds of texts for listings, of
/// which a program uses a few: these are made when they are first asked for, and kept.
class ReadStatements {
 public:
  /// With more conditions, a statement is made for one execution (see Request::once).
  static constexpr std::size_t most_conditions = 8;

  explicit ReadStatements(const Layout& layout);

  /// Parameters: thread_id, checkpoint_ns, and checkpoint_id unless it is for the latest.
  const Statement& get(bool latest, Include include) const;
  /// Parameters as of get.
  const Statement& head(bool latest) const;
  /// Parameters: thread_id, checkpoint_ns, channels, and checkpoint_id unless it is for the latest.
  const Statement& history(bool latest) const;

  /// Parameters: thread_id, checkpoint_ns and checkpoint_id to go on after, the number of ids.
  const Statement& loose_writes() const { return loose_writes_; }

  const Statement& list(const ListShape& shape) const;
  Statement make_list(const ListShape& shape) const;

  /// Parameters: the thread_id to go on after, the number of rows, key and value of each condition.
  const Statement& threads(std::size_t conditions) const;
  Statement make_threads(std::size_t conditions) const;
  /// Parameter: thread_id.
  const Statement& thread() const { return thread_; }

 private:
  /// A map, because its elements stay where they are.
  template <class Key>
  using Kept = std::map<Key, Statement>;

  const Layout layout_;
  Statement get_[2][2][2];  // latest, values, writes
  Statement head_[2];       // latest
  Statement history_[2];    // latest
  Statement thread_;
  Statement loose_writes_;
  mutable std::mutex mutex_;
  mutable Kept<ListShape> lists_;      // guarded by mutex_
  mutable Kept<std::size_t> threads_;  // guarded by mutex_
};

}  // namespace threadkeep::postgres
