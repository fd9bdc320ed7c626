// SPDX-License-Identifier: Apache-2.0
#include "sql_access.hpp"

#include "template.hpp"

namespace threadkeep::postgres {

namespace {

std::string rendered(std::string_view text, const Layout& layout) {
  return render(text, layout, {{"{only_schema}", quote_identifier(layout.schema)}});
}

}  // namespace

void SqlAccess::execute(std::string_view script, const Call& call) {
  const Lease connection = database_.lease(call);
  connection->execute(rendered(script, *database_.layout()), call);
}

std::vector<SqlHost::Row> SqlAccess::query(std::string_view statement,
                                           std::span<const std::string> parameters,
                                           const Call& call) {
  const Lease connection = database_.lease(call);
  const Statement sql(rendered(statement, *database_.layout()));
  Parameters texts;
  for (const std::string& parameter : parameters) texts.text(parameter);
  const Result result = connection->run(sql, std::move(texts), Effect::commit, call);
  std::vector<Row> rows;
  for (std::size_t row = 0; row < result.size(); ++row) {
    Row& out = rows.emplace_back();
    for (int column = 0; column < result.columns(); ++column) {
      out.push_back(result.optional_text(row, column));
    }
  }
  return rows;
}

}  // namespace threadkeep::postgres
