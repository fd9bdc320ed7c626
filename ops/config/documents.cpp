// SPDX-License-Identifier: Apache-2.0
#include "config/documents.hpp"

#include <yaml-cpp/eventhandler.h>

#include <sstream>

namespace threadkeep::ops {

namespace {

// A file of few lines can name one long list again and again, and what is read of it would take as
// much memory as all of them written out.
constexpr int most_aliases = 100;

/// Only where the last document began is of interest, and how often something is named again.
class Documents final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { last_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    if (++aliases_ > most_aliases) {
      throw YAML::Exception(mark, "more than 100 aliases; write out what they stand for");
    }
  }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  const YAML::Mark& last() const { return last_; }

 private:
  YAML::Mark last_;
  int aliases_ = 0;
};

}  // namespace

YAML::Node load_only_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Documents documents;
  if (!parser.HandleNextDocument(documents)) return {};
  if (parser.HandleNextDocument(documents)) {
    throw YAML::Exception(documents.last(), "something follows the end of the only document");
  }
  return YAML::Load(text);
}

}  // namespace threadkeep::ops
