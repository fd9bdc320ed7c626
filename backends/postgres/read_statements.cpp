// SPDX-License-Identifier: Apache-2.0
#include "read_statements.hpp"

#include <string>
#include <string_view>

#include "postgres/sql.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

const char* truth(bool value) {
  return value ? "true" : "false";
}

std::string placeholder(int number, std::string_view type) {
  return "$" + std::to_string(number) + "::" + std::string(type);
}

// Picks one checkpoint of a namespace.
std::string which(bool latest, int id) {
  return latest ? "ORDER BY checkpoint_id{c} DESC LIMIT 1"
                : "AND checkpoint_id = " + placeholder(id, "text");
}

Statement make_get(const Layout& layout, bool latest, Include include) {
  return Statement(render(sql::get, layout,
                          {{"{which}", which(latest, 3)},
                           {"{values}", truth(include.values)},
                           {"{writes}", truth(include.writes)}}));
}

Statement make_head(const Layout& layout, bool latest) {
  return Statement(render(sql::head, layout, {{"{which}", which(latest, 3)}}));
}

Statement make_history(const Layout& layout, bool latest) {
  return Statement(render(sql::history, layout, {{"{which}", which(latest, 4)}}));
}

// Conditions joined by AND, with placeholders numbered in the order in which they come.
class Where {
 public:
  explicit Where(int first) : next_(first) {}

  std::string take(std::string_view type) { return placeholder(next_++, type); }

  void add(const std::string& condition) {
    text_.append(text_.empty() ? "" : " AND ").append(condition);
  }
  void add_if(bool wanted, std::string_view condition) {
    if (wanted) add(std::string(condition) + take("text"));
  }
  // A member that is missing is NULL, which equals nothing. Without coalesce the planner takes a
  // match for so rare that it reads all rows and sorts what is left, instead of going through an
  // index in order until the page is full.
  void add_metadata(std::size_t conditions) {
    for (std::size_t i = 0; i < conditions; ++i) {
      const std::string key = take("text");
      add("coalesce(metadata -> " + key + " = " + take("jsonb") + ", false)");
    }
  }
  // The first comparison is what an index can use.
  void add_after() {
    const std::string id = take("text");
    const std::string thread_id = take("text");
    add("checkpoint_id{c} <= " + id + " AND (checkpoint_id{c} < " + id +
        " OR (thread_id{c}, checkpoint_ns{c}) > (" + thread_id + ", " + take("text") + "))");
  }

  std::string text() const { return text_.empty() ? "true" : text_; }

 private:
  int next_;
  std::string text_;
};

// What is the same in all rows is left out, so that an index in the order of ids can be read.
std::string order_of(const ListShape& shape) {
  std::string order = "checkpoint_id{c} DESC";
  if (!shape.thread_id) order += ", thread_id{c}";
  if (!shape.checkpoint_ns) order += ", checkpoint_ns{c}";
  return order;
}

}  // namespace

ReadStatements::ReadStatements(const Layout& layout)
    : layout_(layout),
      get_{{{make_get(layout, false, {false, false}), make_get(layout, false, {false, true})},
            {make_get(layout, false, {true, false}), make_get(layout, false, {true, true})}},
           {{make_get(layout, true, {false, false}), make_get(layout, true, {false, true})},
            {make_get(layout, true, {true, false}), make_get(layout, true, {true, true})}}},
      head_{make_head(layout, false), make_head(layout, true)},
      history_{make_history(layout, false), make_history(layout, true)},
      thread_(render(sql::threads, layout, {{"{page}", std::string(sql::threads_one)}})),
      loose_writes_(render(sql::loose_writes, layout)) {}

const Statement& ReadStatements::get(bool latest, Include include) const {
  return get_[latest][include.values][include.writes];
}

const Statement& ReadStatements::head(bool latest) const {
  return head_[latest];
}

const Statement& ReadStatements::history(bool latest) const {
  return history_[latest];
}

const Statement& ReadStatements::list(const ListShape& shape) const {
  const std::lock_guard lock(mutex_);
  const auto kept = lists_.find(shape);
  return kept != lists_.end() ? kept->second
                              : lists_.emplace(shape, make_list(shape)).first->second;
}

Statement ReadStatements::make_list(const ListShape& shape) const {
  Where where(1);
  where.add_if(shape.thread_id, "thread_id = ");
  where.add_if(shape.checkpoint_ns, "checkpoint_ns = ");
  where.add_if(shape.checkpoint_id, "checkpoint_id = ");
  where.add_if(shape.before, "checkpoint_id{c} < ");
  if (shape.after) where.add_after();
  where.add_metadata(shape.conditions);
  const std::string most = where.take("bigint");
  return Statement(render(sql::list, layout_,
                          {{"{where}", where.text()},
                           {"{order}", order_of(shape)},
                           {"{most}", most},
                           {"{max_bytes}", where.take("bigint")},
                           {"{values}", truth(shape.values)},
                           {"{writes}", truth(shape.writes)}}));
}

const Statement& ReadStatements::threads(std::size_t conditions) const {
  const std::lock_guard lock(mutex_);
  const auto kept = threads_.find(conditions);
  return kept != threads_.end()
             ? kept->second
             : threads_.emplace(conditions, make_threads(conditions)).first->second;
}

Statement ReadStatements::make_threads(std::size_t conditions) const {
  Where where(3);
  where.add_metadata(conditions);
  const auto all = layout_.threads_indexed ? sql::threads_all : sql::threads_all_slowly;
  const auto page = conditions == 0 ? all : sql::threads_where;
  return Statement(
      render(sql::threads, layout_, {{"{page}", std::string(page)}, {"{where}", where.text()}}));
}

}  // namespace threadkeep::postgres
