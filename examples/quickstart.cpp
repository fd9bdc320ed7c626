// SPDX-License-Identifier: Apache-2.0
//
// The shortest whole program: stores a checkpoint and reads it back, with blocking calls.
//
//   quickstart [URL]

// [snippet program]
#include <iostream>
#include <threadkeep/threadkeep.hpp>

int main(int argc, char** argv) try {
  threadkeep::Checkpointer store(threadkeep::open(argc > 1 ? argv[1] : "sqlite:threads.db"));
  threadkeep::PutCheckpoint checkpoint;
  checkpoint.thread_id = "quickstart";
  checkpoint.checkpoint_id = threadkeep::CheckpointIds().next();
  checkpoint.document = R"({"channel_versions": {"name": "1"}})";
  checkpoint.blobs = {{"name", "1", "text", threadkeep::Bytes("Ada")}};
  store.put(checkpoint);

  const auto latest = store.get({"quickstart", "", {}, {}});
  std::cout << "Your name is " << latest->values.at(0).data.view() << "\n";
  threadkeep::CheckpointList query;
  query.thread_id = "quickstart";
  for (const auto& found : store.list(query).items) std::cout << found.checkpoint_id << "\n";
} catch (const threadkeep::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
// [/snippet program]
