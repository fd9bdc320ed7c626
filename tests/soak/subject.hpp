// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <random>
#include <string>

namespace threadkeep::soak {

/// The store that is tested, and what happens to its server and to the network before it.
class Subject {
 public:
  virtual ~Subject() = default;

  /// What programs open.
  virtual std::string url() const = 0;
  /// The same store without the network between.
  virtual std::string direct_url() const = 0;
  /// One fault, from its beginning to its end; what it was.
  virtual std::string disturb(std::mt19937& random) = 0;
};

/// "postgres", "redis"; anything else is the URL of a store that somebody else disturbs. Throws
/// std::runtime_error when there is no such server.
std::unique_ptr<Subject> make_subject(const std::string& backend);

}  // namespace threadkeep::soak
