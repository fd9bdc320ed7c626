// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace threadkeep::soak {

/// What a caller was told about a write.
enum class Told {
  stored,   ///< It is there, from now on.
  refused,  ///< Nothing was done: it is not there, and never will be.
  unknown,  ///< One of the two.
};

/// One write, and what its sender was told of it.
struct Entry {
  enum class Kind : char {
    checkpoint = 'c',
    write = 'w',  ///< A pending one of the latest checkpoint.
    message = 'm',
    document = 'd',
    deletion = 'x',
  };

  std::size_t thread = 0;  ///< Of the sender's, the how manieth.
  Kind kind = Kind::checkpoint;
  std::string id;
  std::string value = "-";  ///< Of a document.
  Told told = Told::unknown;
  bool late = false;     ///< It was sent more than once: a copy may still come.
  std::string how = "";  ///< How each sending of it ended, for the report of a problem.
};

/// What one worker sends, is told and sees, in a file that outlives its process, however that ends.
/// Not thread-safe.
class Diary {
 public:
  struct Content {
    /// What was sent when the process ended is `unknown`.
    std::vector<Entry> entries;
    std::vector<std::string> problems;
    std::size_t reads = 0;
    std::size_t failed_reads = 0;
  };

  /// An empty one. It has its whole size from the beginning and is written by memory, so that no
  /// limit or disk that a test makes small is in the way.
  static void create(const std::filesystem::path& path);

  /// Goes on with the file; an empty path keeps nothing.
  explicit Diary(const std::filesystem::path& path);
  ~Diary();
  Diary(const Diary&) = delete;
  Diary& operator=(const Diary&) = delete;

  void sends(const Entry& entry);
  void is_told(const Entry& entry);
  void sees(const std::string& problem);
  void ends(std::size_t reads, std::size_t failed_reads);

  static Content read(const std::filesystem::path& path);

 private:
  void add(const std::string& line);
  void add(const Entry& entry, char told);

  char* text_ = nullptr;
  std::size_t end_ = 0;
};

}  // namespace threadkeep::soak
