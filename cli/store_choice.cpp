// SPDX-License-Identifier: Apache-2.0
#include "store_choice.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <threadkeep/threadkeep.hpp>

#include "config/config.hpp"
#include "duration_option.hpp"
#include "not_empty.hpp"
#include "printable.hpp"
#include "refusal.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* usual_file = "threadkeep.yaml";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Refusal usage(const std::string& message) {
  return {ExitStatus::usage, "invalid_argument", message};
}

std::string names(const std::map<std::string, ops::StoreConfig>& stores) {
  std::string all;
  for (const auto& [name, store] : stores) all += (all.empty() ? "" : ", ") + name;
  return all.empty() ? "there are none" : "there are: " + all;
}

// The one that is asked for; empty where none is and the file names none for this case.
std::optional<ops::StoreConfig> choose(const ops::Config& config, const std::string& store,
                                       const std::string& file) {
  if (store.empty()) return config.store;
  const auto found = config.stores.find(store);
  if (found != config.stores.end()) return found->second;
  throw usage("no store '" + printable(store) + "' in " + printable(file) + "; " +
              names(config.stores));
}

}  // namespace

StoreChoice::StoreChoice(CLI::App& command) {
  url_option_ = command.add_option(
      "--url", url_, "The store, such as sqlite:agent.db; THREADKEEP_URL if not given");
  auto* store = command.add_option("--store", store_, "The store of this name in threadkeep.yaml");
  store->check(not_empty());
  auto* file = command.add_option(
      "--config", file_, "The file instead of threadkeep.yaml; THREADKEEP_CONFIG if not given");
  file->type_name("FILE")->check(not_empty());
  url_option_->excludes(store)->excludes(file);
  timeout_option_ = add_duration(command, "--timeout", timeout_,
                                 "Time for all of it, such as 500ms, 90s, 30m, 6h");
}

void StoreChoice::add_name(CLI::App& command, const std::string& name, const std::string& help,
                           const std::string& variable) {
  variable_ = variable;
  url_option_->description("The store, such as sqlite:agent.db; " + variable + " if not given");
  other_name_ = command.add_option(name, url_, help);
  other_name_->excludes(url_option_)
      ->excludes(command.get_option("--store"))
      ->excludes(command.get_option("--config"));
}

bool StoreChoice::is_url_given() const {
  return url_option_->count() > 0 || (other_name_ != nullptr && other_name_->count() > 0);
}

void StoreChoice::resolve() {
  if (is_url_given()) return;
  url_ = given_url();
  if (!url_.empty()) return;
  const std::string file = file_to_read();
  if (!file.empty()) read_file(file);
  if (!url_.empty()) return;
  throw usage("which store? Say --url URL or --store NAME, set " + variable_ +
              ", or write a url into " + usual_file);
}

std::vector<std::string> StoreChoice::arguments() const {
  const Url url = Url::parse(url_);
  if (url.scheme() == "sqlite" && !url.path().starts_with('/')) {
    throw Refusal{ExitStatus::failed, "invalid_argument",
                  "the URL names a file below a directory that others do not know; write its full "
                  "path"};
  }
  if (given_url().empty()) {
    std::vector<std::string> all = {"--config", std::filesystem::absolute(file_to_read())};
    if (!store_.empty()) all.insert(all.end(), {"--store", store_});
    return all;
  }
  if (url.redacted().find("***") == std::string::npos) return {"--url", url_};
  throw Refusal{ExitStatus::failed, "invalid_argument",
                "the URL holds a password, which others could read there; name the store in " +
                    std::string(usual_file) + ", with a variable or a password file"};
}

std::optional<ops::RetentionConfig> StoreChoice::retention() const {
  const std::string file = file_to_read();
  if (file.empty()) return {};
  return ops::read_config(file, ops::process_variables()).retention;
}

ops::MigrateConfig StoreChoice::migrate() const {
  const std::string file = file_to_read();
  if (file.empty()) return {};
  return ops::read_config(file, ops::process_variables()).migrate;
}

std::string StoreChoice::given_url() const {
  if (is_url_given()) return url_;
  return store_.empty() && file_.empty() ? variable(variable_.c_str()) : "";
}

// A file that nobody named may be missing, unless something of it is asked for.
std::string StoreChoice::file_to_read() const {
  if (!file_.empty()) return file_;
  if (auto named = variable("THREADKEEP_CONFIG"); !named.empty()) return named;
  return !store_.empty() || std::filesystem::exists(usual_file) ? usual_file : "";
}

void StoreChoice::read_file(const std::string& file) {
  const auto config = ops::read_config(file, ops::process_variables());
  const auto chosen = choose(config, store_, file);
  if (!chosen) return;
  url_ = chosen->url;
  if (chosen->timeout && timeout_option_->count() == 0) timeout_ = chosen->timeout->count();
}

}  // namespace threadkeep::cli
