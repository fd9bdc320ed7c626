// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <iostream>
#include <string>
#include <threadkeep/async.hpp>
#include <threadkeep/threadkeep.hpp>

// consumer URL KNOWN UNKNOWN: stores and loads a checkpoint, and asks for a scheme that this
// installation does not have.

namespace {

void store_and_load(const std::string& url) {
  threadkeep::Checkpointer checkpointer(threadkeep::open(url));
  threadkeep::PutCheckpoint checkpoint;
  checkpoint.thread_id = "t";
  checkpoint.checkpoint_id = "1";
  checkpoint.document = R"({"channel_versions": {"a": "1"}})";
  checkpoint.blobs = {{"a", "1", "text", threadkeep::Bytes::copy("hello")}};
  checkpointer.put(checkpoint);
  const auto found = checkpointer.get({"t", "", {}, {}});
  if (!found || found->values.at(0).data.view() != "hello") throw std::string("not loaded");
}

void ask_for_the_unknown(const std::string& known, const std::string& unknown) {
  try {
    threadkeep::open(unknown + ":x");
  } catch (const threadkeep::Error& error) {
    const bool named = error.message().find(known) != std::string::npos;
    if (named && error.code() == threadkeep::Code::invalid_argument) return;
    throw;
  }
  throw "the scheme " + unknown + " is known";
}

}  // namespace

int main(int, char** argv) {
  try {
    store_and_load(argv[1]);
    ask_for_the_unknown(argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  } catch (const std::string& problem) {
    std::cerr << problem << "\n";
    return 1;
  }
  std::cout << "stored and loaded with " << argv[1] << "\n";
  return 0;
}
