// SPDX-License-Identifier: Apache-2.0
#include "raw_database.hpp"

#include <pqxx/pqxx>
#include <stdexcept>

namespace threadkeep::postgres_test {

namespace {

std::vector<std::string> joined(const pqxx::result& result) {
  std::vector<std::string> rows;
  for (const auto& row : result) {
    std::string text;
    for (const auto& field : row) {
      if (!text.empty() || field.num() > 0) text += '|';
      text += field.is_null() ? "NULL" : field.c_str();
    }
    rows.push_back(std::move(text));
  }
  return rows;
}

// Removes "schema=..." from a URL and returns its value.
std::string take_schema(std::string& url) {
  const std::string key = "schema=";
  const auto at = url.find(key);
  if (at == std::string::npos) return {};
  const auto end = std::min(url.find('&', at), url.size());
  auto schema = url.substr(at + key.size(), end - at - key.size());
  url.erase(at, end == url.size() ? end - at : end - at + 1);
  if (url.back() == '?' || url.back() == '&') url.pop_back();
  return schema;
}

pqxx::connection connect(std::string& url, std::string& schema) {
  schema = take_schema(url);
  return pqxx::connection(url);
}

}  // namespace

class RawDatabase::Impl {
 public:
  explicit Impl(std::string url) : connection(connect(url, schema)) {
    if (schema.empty()) return;
    pqxx::nontransaction work(connection);
    work.exec("SET search_path = " + work.quote_name(schema));
  }

  std::string schema;
  pqxx::connection connection;
};

RawDatabase::RawDatabase(const std::string& url) : impl_(std::make_unique<Impl>(url)) {}
RawDatabase::~RawDatabase() = default;
RawDatabase::RawDatabase(RawDatabase&&) noexcept = default;
RawDatabase& RawDatabase::operator=(RawDatabase&&) noexcept = default;

std::vector<std::string> RawDatabase::run(const std::string& sql) {
  pqxx::nontransaction work(impl_->connection);
  return joined(work.exec(sql));
}

std::vector<std::string> RawDatabase::run(const std::string& sql,
                                          const std::vector<std::string>& parameters) {
  pqxx::nontransaction work(impl_->connection);
#if PQXX_VERSION_MAJOR >= 7
  pqxx::params values;
  for (const auto& parameter : parameters) values.append(parameter);
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
  return joined(work.exec(sql, values));
#else
  return joined(work.exec_params(sql, values));
#endif
#else
  return joined(work.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters)));
#endif
}

std::string RawDatabase::value(const std::string& sql) {
  const auto rows = run(sql);
  if (rows.size() != 1) throw std::runtime_error("one row was expected of: " + sql);
  return rows.front();
}

}  // namespace threadkeep::postgres_test
