// SPDX-License-Identifier: Apache-2.0
#include "examine.hpp"

#include <filesystem>
#include <string>

#include "findings.hpp"

namespace threadkeep::sqlite {

namespace {

constexpr std::uintmax_t mebibyte = 1024 * 1024;

Finding examine_content(Connection& connection) {
  constexpr auto remedy =
      "stop all programs, copy the file with its -wal, restore a backup or try .recover of sqlite3";
  try {
    Rows rows = connection.query("PRAGMA quick_check(1)");
    rows.next();
    const std::string answer = rows.text(0);
    return answer == "ok" ? good("content", "every page of the file is sound")
                          : problem("content", answer, remedy);
  } catch (const Error& error) {
    if (error.code() == Code::corrupt) return problem("content", error.message(), remedy);
    return warning("content", "not examined: " + error.message(), "try again with more time");
  }
}

Finding examine_durability(const Settings& settings) {
  if (settings.full_sync) return good("durability", "each write is on the disk when it returns");
  return warning("durability", "the last writes may be lost when the machine loses power",
                 "leave synchronous=normal out of the URL");
}

// A write-ahead log may grow to the size of the file, and so may the file while it is vacuumed.
Finding examine_disk(const Settings& settings) {
  std::error_code failed;
  const auto space = std::filesystem::space(settings.path, failed);
  const auto size = failed ? 0 : std::filesystem::file_size(settings.path, failed);
  if (failed) return warning("disk", "not examined: " + failed.message(), "look at the path");
  const std::string text = std::to_string(size / mebibyte) + " MiB used, " +
                           std::to_string(space.available / mebibyte) + " MiB free";
  if (space.available > size + 100 * mebibyte) return good("disk", text);
  return warning("disk", text, "make room: at least as much as the file is large");
}

// What was deleted gives no room back to the disk; the files that this backend makes do.
bool can_shrink(Connection& connection) {
  constexpr std::int64_t incremental = 2;
  Rows rows = connection.query("PRAGMA auto_vacuum");
  return !rows.next() || rows.integer(0) == incremental;
}

}  // namespace

void examine(Connection& connection, const Settings& settings, std::vector<Finding>& findings) {
  findings.push_back(examine_content(connection));
  findings.push_back(examine_durability(settings));
  findings.push_back(examine_disk(settings));
  if (!can_shrink(connection)) {
    findings.push_back(warning("room", "the file stays as large as it is, whatever is deleted",
                               "run PRAGMA auto_vacuum = 2 and VACUUM while no program uses it"));
  }
}

}  // namespace threadkeep::sqlite
