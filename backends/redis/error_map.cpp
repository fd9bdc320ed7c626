// SPDX-License-Identifier: Apache-2.0
#include "error_map.hpp"

#include <array>
#include <string>

namespace threadkeep::redis {

namespace {

struct Known {
  std::string_view word;
  Code code;
  std::string_view remedy;
};

constexpr std::string_view cluster =
    "clusters are not supported yet; name a server that is not a node of one";

constexpr std::array known_words = {
    Known{"OOM", Code::no_space, "raise maxmemory, or delete or expire threads"},
    Known{"NOAUTH", Code::denied, "the URL needs a password"},
    Known{"WRONGPASS", Code::denied, "check user and password"},
    Known{"NOPERM", Code::denied, "docs/operation/redis.md lists what the user must be allowed"},
    Known{"READONLY", Code::unavailable, "this is a replica; name the master"},
    Known{"LOADING", Code::unavailable, ""},
    Known{"BUSY", Code::unavailable, ""},
    Known{"MASTERDOWN", Code::unavailable, ""},
    Known{"MISCONF", Code::unavailable, ""},
    Known{"NOREPLICAS", Code::unavailable, ""},
    Known{"WRONGTYPE", Code::corrupt, "something else uses keys of this prefix"},
    Known{"MOVED", Code::unsupported, cluster},
    Known{"ASK", Code::unsupported, cluster},
    Known{"CROSSSLOT", Code::unsupported, cluster},
    Known{"CLUSTERDOWN", Code::unsupported, cluster},
    Known{"TRYAGAIN", Code::unsupported, cluster},
};

// Parts of messages that have no word of their own.
constexpr std::array known_parts = {
    Known{"TORN ", Code::corrupt,
          "the server evicted or lost a key; delete the thread, and see docs/operation/redis.md"},
    Known{"CORRUPT ", Code::corrupt, ""},
    Known{"WRONGTYPE ", Code::corrupt, "something else uses keys of this prefix"},
    Known{"OOM command", Code::no_space, "raise maxmemory, or delete or expire threads"},
    Known{"READONLY ", Code::unavailable, "this is a replica; name the master"},
    Known{"MISCONF ", Code::unavailable, ""},
    Known{"NOREPLICAS ", Code::unavailable, ""},
    Known{"can't run this command or subcommand", Code::denied,
          "docs/operation/redis.md lists what the user must be allowed"},
    Known{"ACL failure in script", Code::denied,
          "docs/operation/redis.md lists what the user must be allowed"},
    Known{"max number of clients", Code::unavailable, ""},
    Known{"DB index is out of range", Code::invalid_argument,
          "the server has not so many databases"},
    Known{"invalid password", Code::denied, "check user and password"},
    Known{"without any password configured", Code::denied, "this server has no password"},
    Known{"unknown command", Code::unsupported, "this server is too old, or a proxy refuses it"},
};

Error error_for(const Known& known, std::string_view text, std::string_view word) {
  std::string message = "the server says: " + std::string(text);
  if (!known.remedy.empty()) message.append("; ").append(known.remedy);
  return Error(known.code, message, word);
}

}  // namespace

// Messages of a server name commands, keys and settings; none of ours has a value in it.
Error make_error(std::string_view text) {
  const auto word = text.substr(0, text.find(' '));
  for (const Known& known : known_words) {
    if (known.word == word) return error_for(known, text, word);
  }
  for (const Known& known : known_parts) {
    if (text.find(known.word) != std::string_view::npos) return error_for(known, text, word);
  }
  return error_for({"", Code::internal, ""}, text, word);
}

const Reply& checked(const Reply& reply) {
  if (reply.is_error()) throw make_error(reply.view());
  return reply;
}

}  // namespace threadkeep::redis
