// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace threadkeep::soak {

/// The store that is tested, and what happens to its servers and to the network before them.
class Subject {
 public:
  virtual ~Subject() = default;

  /// How many other processes use it, and are killed; 0: this one does.
  virtual int processes() const { return 0; }
  /// What each of them opens.
  virtual std::string url(int process) const = 0;
  /// What acknowledged writes are looked for in, without the network between.
  virtual std::string direct_url() const = 0;
  /// One fault, from its beginning to its end; what it was. Of the processes some may be gone.
  virtual std::string disturb(std::mt19937& random, const std::vector<pid_t>& processes) = 0;
};

/// The names that make_subject() knows, one below the other, with what they are.
std::string subject_names();

/// The subject of a name; anything else is the URL of a store that somebody else disturbs. Throws
/// std::runtime_error when there is no such server.
std::unique_ptr<Subject> make_subject(const std::string& name);

}  // namespace threadkeep::soak
