// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <threadkeep/threadkeep.hpp>
#include <vector>

#include "exit_status.hpp"
#include "json_output.hpp"
#include "table.hpp"

namespace threadkeep::cli {

/// The options of a listing that comes in pages.
class PageOptions {
 public:
  /// `items` as the help names them: "threads".
  PageOptions(CLI::App& options, const std::string& items) {
    auto* all = options.add_flag("--all", all_, "All " + items + ", not only a page");
    options.add_option("--limit", limit_, "How many " + items + " of a page, 50 if not given")
        ->excludes(all);
    options.add_option("--cursor", cursor_, "Go on where the page before ended");
  }

  bool all() const { return all_; }
  /// What to ask the store for at once.
  std::size_t page_size() const { return all_ ? 1000 : limit_; }
  const std::string& cursor() const { return cursor_; }

 private:
  std::size_t limit_ = 50;
  std::string cursor_;
  bool all_ = false;
};

/// How a listing shows its items.
template <class Item>
struct ListingForm {
  std::string name;  ///< Of the list in JSON.
  Json (*json)(const Item&);
  std::vector<std::string> heading;
  std::vector<std::string> (*row)(const Item&) = nullptr;
  /// Instead of heading and row, for items that take more than a line.
  void (*show)(const Item&) = nullptr;
};

/// Prints a listing while its pages come: a table whose columns are as wide as the first page
/// wants, or what the items show, or one JSON object.
template <class Item>
class Listing {
 public:
  using Read = std::function<Page<Item>(const std::string& cursor)>;

  /// `width` is that of the terminal; 0 cuts nothing.
  Listing(const ListingForm<Item>& form, bool json, std::size_t width)
      : form_(form), width_(width), table_(form.heading) {
    if (json) list_.emplace(form.name);
  }

  /// Prints `page`, and with `all` those after it while somebody reads them. Where one of them
  /// cannot be read, the object ends with the failure, and a table with the Error; both say where
  /// to go on.
  ExitStatus print(Page<Item> page, bool all, const Read& read) {
    show(page);
    while (all && !page.next.empty() && std::cout.good()) {
      const std::string cursor = page.next;
      try {
        page = read(cursor);
      } catch (const Error& error) {
        return fail(error, cursor);
      }
      show(page);
    }
    end(page.next);
    return ExitStatus::done;
  }

 private:
  void show(const Page<Item>& page) {
    for (const Item& item : page.items) {
      if (list_) {
        list_->add(form_.json(item));
      } else if (form_.show) {
        form_.show(item);
      } else {
        table_.add(form_.row(item));
      }
    }
    if (!list_ && !form_.show) table_.print(std::cout, width_);
    std::cout.flush();
  }

  void end(const std::string& next) {
    if (list_) {
      list_->end({{"next", next}});
    } else if (!next.empty()) {
      std::cout << "more: --cursor " << next << "\n";
    }
  }

  ExitStatus fail(const Error& error, const std::string& cursor) {
    if (!list_) {
      end(cursor);
      throw error;
    }
    Json failure = failure_object(error.what(), std::string(to_string(error.code())));
    failure["next"] = cursor;
    list_->end(failure);
    return ExitStatus::failed;
  }

  const ListingForm<Item>& form_;
  const std::size_t width_;
  Table table_;
  std::optional<JsonList> list_;
};

}  // namespace threadkeep::cli
