// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// \file
/// A tiny deterministic agent, the same in every example: what it decides depends on the messages
/// alone. A real one would ask a language model here.

namespace agent {

using nlohmann::json;

/// The next super-step: tasks that run side by side, or an answer when there are none.
struct Step {
  std::vector<std::string> tasks;
  std::string answer;
};

inline std::string find_name(const json& messages) {
  const std::string marker = "my name is ";
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    const std::string text = message->at("content");
    const auto at = text.find(marker);
    if (message->at("role") == "user" && at != std::string::npos) {
      return text.substr(at + marker.size());
    }
  }
  return "";
}

inline Step decide(const json& messages) {
  const json& last = messages.back();
  const std::string text = last.at("content");
  if (last.at("role") == "tool") return {{}, "Here is what I found: " + text};
  if (text.find("weather") != std::string::npos) return {{"weather:Paris", "weather:Rome"}, ""};
  const std::string name = find_name(messages);
  if (text.find("What is my name") != std::string::npos) {
    return {{}, name.empty() ? "You have not told me." : "Your name is " + name + "."};
  }
  return {{}, name.empty() ? "Hello." : "Hello, " + name + "."};
}

inline std::string run_tool(const std::string& task) {
  return task == "weather:Paris" ? "Paris: 18 degrees" : "Rome: 24 degrees";
}

inline json message(const std::string& role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

}  // namespace agent
