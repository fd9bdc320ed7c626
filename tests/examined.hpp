// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <threadkeep/threadkeep.hpp>

namespace threadkeep::testing {

/// What a store says about one thing: "good", "warning: TEXT" or "problem: TEXT", and "" when it
/// says nothing. Everything but good has a remedy.
inline std::string examined(const std::string& url, const std::string& subject) {
  std::string answer;
  for (const Finding& finding : open(url)->examine({})) {
    EXPECT_EQ(finding.remedy.empty(), finding.level == Finding::Level::good) << finding.text;
    EXPECT_FALSE(finding.text.empty()) << finding.subject;
    if (finding.subject != subject) continue;
    switch (finding.level) {
      case Finding::Level::good:
        answer = "good";
        break;
      case Finding::Level::warning:
        answer = "warning: " + finding.text;
        break;
      case Finding::Level::problem:
        answer = "problem: " + finding.text;
        break;
    }
  }
  return answer;
}

}  // namespace threadkeep::testing
