// SPDX-License-Identifier: Apache-2.0
#include "setup_support.hpp"

#include <sstream>

namespace threadkeep::postgres_test {

std::string dump(const std::string& url, std::vector<std::string> options) {
  std::vector<std::string> command = {"pg_dump", "--schema-only", "--dbname=" + url};
  command.insert(command.end(), options.begin(), options.end());
  std::istringstream lines(run_program(command));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    // Newer ones protect themselves by a random word.
    if (!line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")) text += line + "\n";
  }
  return text;
}

Rows ledger(RawDatabase& raw) {
  return raw.run(
      "SELECT version, name, checksum, oldest_reader, finished_at >= started_at "
      "FROM threadkeep_migrations ORDER BY version");
}

std::string psql(const std::string& url, const std::string& script, int status) {
  return run_program(
      {"psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--dbname=" + url}, status,
      script);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += "0123456789ABCDEF"[byte >> 4];
    out += "0123456789ABCDEF"[byte & 15];
  }
  return out;
}

}  // namespace threadkeep::postgres_test
