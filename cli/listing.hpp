// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// How a listing shows its items.
template <class Item>
struct ListingForm {
  std::string name;  ///< Of the list in JSON.
  std::vector<std::string> heading;
  std::vector<std::string> (*row)(const Item&);
  Json (*json)(const Item&);
};

/// Prints a listing while its pages come: a table whose columns are as wide as the first page
/// wants, or one JSON object.
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
      } else {
        table_.add(form_.row(item));
      }
    }
    if (!list_) table_.print(std::cout, width_);
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
