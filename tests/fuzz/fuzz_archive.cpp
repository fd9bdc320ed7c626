// SPDX-License-Identifier: Apache-2.0
#include "archive/reader.hpp"
#include "archive/sha256.hpp"
#include "fuzz.hpp"

using namespace threadkeep;

namespace {

std::string compress(std::string_view text) {
  std::string bytes;
  ops::Compressor compressor([&](std::string_view part) { bytes += part; });
  compressor.add(text);
  compressor.finish();
  return bytes;
}

// Every thread that comes out can be asked for all of its parts.
void read_all(std::string_view bytes) {
  ops::ArchiveReader reader([&](char* buffer, std::size_t size) {
    const std::size_t count = bytes.copy(buffer, size);
    bytes.remove_prefix(count);
    return count;
  });
  while (const auto thread = reader.next()) {
    const auto order = thread->parents_first();
    fuzz::check(order.size() == thread->checkpoints().size(), "all checkpoints are in the order");
    for (const auto index : order) {
      const auto checkpoint = thread->checkpoint(index);
      fuzz::check(
          thread->find_checkpoint({checkpoint.checkpoint_ns, checkpoint.checkpoint_id}) == index,
          "a checkpoint is found by its key");
    }
    for (const auto& [key, place] : thread->writes()) static_cast<void>(thread->write(key));
  }
}

// The text with the checksums that it should have, so that the fuzzer gets past them: each S is
// one.
std::string with_sums(std::string_view text) {
  std::string lines;
  ops::Sha256 of_thread;
  ops::Sha256 of_archive;
  while (!text.empty()) {
    const auto newline = std::min(text.find('\n'), text.size() - 1);
    std::string line(text.substr(0, newline + 1));
    text.remove_prefix(newline + 1);
    if (line.find("\"thread\"") != std::string::npos) of_thread.restart();
    const auto& sum = line.find("thread_end") != std::string::npos ? of_thread : of_archive;
    if (const auto at = line.find("\"S\""); at != std::string::npos) {
      line.replace(at + 1, 1, sum.digest());
    }
    of_thread.add(line);
    of_archive.add(line);
    lines += line;
  }
  return lines;
}

}  // namespace

// Two readings of the input: as an archive, and as the lines of one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto allowed = {Code::corrupt, Code::unsupported};
  fuzz::accepts(allowed, [&] { read_all(text); });
  fuzz::accepts(allowed, [&] { read_all(compress(with_sums(text))); });
  return 0;
}
