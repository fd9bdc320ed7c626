// SPDX-License-Identifier: Apache-2.0
// Files that are no files, have no end, or hold more than they look like: an error that names them,
// in memory that is bounded, and nothing written beside.
#include <sys/stat.h>

#include <archive/compression.hpp>
#include <archive/new_file.hpp>
#include <archive/sha256.hpp>
#include <set>

#include "command.hpp"
#include "migrate_output.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_SQLITE
namespace threadkeep {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr const char* archive_head =
    "{\"kind\":\"archive\",\"format\":\"threadkeep\",\"version\":1}\n";

class Hostile : public Cli {
 protected:
  std::string path(const std::string& name) const { return directory.path() / name; }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string pipe() const {
    mkfifo(path("pipe").c_str(), 0600);
    return path("pipe");
  }

  // With 600 MiB of addresses, of which the program and its threads take a part.
  static std::string run_bounded(Arguments arguments, int status) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return run(std::move(arguments), status);
#else
    arguments.insert(arguments.begin(), {"/bin/bash", "-c", "ulimit -v 600000; exec \"$@\"", "bash",
                                         THREADKEEP_COMMAND});
    return testing::run_program(arguments, status);
#endif
  }

  // A line that begins so and goes on for more than the memory there is, in an archive.
  std::string endless(const std::string& beginning) const {
    std::ofstream out(path("bomb"), std::ios::binary);
    ops::Compressor compressor(
        [&](std::string_view part) { out.write(part.data(), std::ssize(part)); });
    compressor.add(beginning);
    const std::string more(mebibyte, 'A');
    for (int i = 0; i < 700; ++i) compressor.add(more);
    compressor.finish();
    return path("bomb");
  }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      found.insert(entry.path().filename());
    }
    return found;
  }
};

void expect_says(const std::string& said, const std::vector<std::string>& parts) {
  for (const auto& part : parts) EXPECT_TRUE(contains(said, part)) << part << " in: " << said;
  EXPECT_LT(said.size(), 20'000U);
}

TEST_F(Hostile, configuration_without_end_or_text_is_refused) {
  const auto list = [](const std::string& config, int status) {
    return run_bounded({"threads", "list", "--config", config}, status);
  };
  expect_says(list("/dev/zero", usage), {"/dev/zero", "longer than 1 MiB"});
  expect_says(list(directory.path(), failed), {"cannot read the configuration", "is a file"});
  expect_says(list(file("long", std::string(2 * mebibyte, '#')), usage), {"longer than 1 MiB"});
  expect_says(list(file("utf8", "url: 'sqlite:\xff'\n"), usage), {"utf8", "is not UTF-8"});
  expect_says(list(file("cut", "url: sqlite:a\n\x04\nno: key\n"), usage),
              {"cut:2", "control character"});
  EXPECT_EQ(names(), (std::set<std::string>{"long", "utf8", "cut"}));
}

TEST_F(Hostile, configuration_that_grows_is_refused) {
  std::string again = "retention:\n  policies:\n    - &p {name: a, idle: 1d, metadata: {k: 1";
  for (int i = 0; i < 20'000; ++i) again += ", k" + std::to_string(i) + ": 1";
  again += "}}\n";
  for (int i = 0; i < 20'000; ++i) again += "    - *p\n";
  std::string many = "stores:\n";
  for (int i = 0; i < 20'000; ++i) many += "  s: {url: 'sqlite:a'}\n";
  std::string address = "url: 'sqlite:a?k=1";
  for (int i = 0; i < 100'000; ++i) address += "&k" + std::to_string(i) + "=1";
  setenv("THREADKEEP_TEST_LONG", std::string(100'000, 'x').c_str(), 1);
  std::string filled = "url: 'sqlite:";
  for (int i = 0; i < 40'000; ++i) filled += "${THREADKEEP_TEST_LONG}";
  const auto refused = [&](const std::string& name, const std::string& text) {
    return run_bounded({"threads", "list", "--config", file(name, text)}, usage);
  };
  expect_says(refused("again", again), {"more than 100 aliases"});
  expect_says(refused("many", many), {"many:3:3: the key 's' is there twice", "and 19899 more"});
  expect_says(refused("address", address + "'\n"), {"bytes long; at most 65536"});
  expect_says(refused("filled", filled + "'\n"), {"longer than 1 MiB with its variables"});
  unsetenv("THREADKEEP_TEST_LONG");
}

TEST_F(Hostile, order_of_tables_that_is_no_text_is_refused) {
  run({"setup", "--url", url}, done);
  const auto migrate = [&](const std::string& order) {
    return run_bounded({"migrate-tier", "--from", url, "--to", "local", "--target-url",
                        "sqlite:" + path("target.db"), "--dry-run", "--order", order},
                       usage);
  };
  expect_says(migrate("/dev/zero"), {"the order of tables '/dev/zero' is longer than 1 MiB"});
  expect_says(migrate(directory.path()), {"cannot read the order of tables"});
  expect_says(migrate(path("absent")), {"cannot read the order of tables"});
  expect_says(migrate(file("order", "a\n\xff\n")), {"is not UTF-8"});
  expect_says(migrate(file("order", std::string("a\n\0b", 4))), {"order:2", "control character"});
}

TEST_F(Hostile, device_or_pipe_is_no_store) {
  for (const std::string& place : {std::string("/dev/null"), std::string("/dev/zero"), pipe()}) {
    for (const auto* command : {"setup", "stats"}) {
      expect_says(run_bounded({command, "--url", "sqlite:" + place}, usage),
                  {place, "is a device or a pipe; name a file"});
    }
    expect_says(run_bounded({"migrate-tier", "--from", "sqlite:" + place, "--to", "local",
                             "--target-url", url, "--dry-run"},
                            usage),
                {place, "is a device or a pipe"});
  }
  EXPECT_EQ(names(), (std::set<std::string>{"pipe"}));
}

TEST_F(Hostile, file_to_write_takes_no_place_of_a_device_or_a_directory) {
  const auto store = open(url);
  store->write(testing::Draft("t", "1"), {});
  const auto before = names();
  std::filesystem::create_directory(path("directory"));
  std::filesystem::create_symlink("/dev/null", path("link"));
  for (const std::string& place :
       {std::string("/dev/null"), path("directory"), path("link"), pipe()}) {
    expect_says(
        run({"threads", "export", "--all", "--url", url, "--overwrite", "--output", place}, usage),
        {place, "is a directory, a device or a pipe; name a file"});
    struct stat info {};
    ASSERT_EQ(stat(place.c_str(), &info), 0);
    EXPECT_FALSE(S_ISREG(info.st_mode)) << place;
  }
  for (const auto* name : {"directory", "link", "pipe"}) std::filesystem::remove(path(name));
  EXPECT_EQ(names(), before);
}

TEST_F(Hostile, archive_that_is_something_else_is_not_read_to_its_end) {
  const auto import = [&](const std::string& archive) {
    return run_bounded({"threads", "import", archive, "--url", url}, failed);
  };
  expect_says(import(endless("")), {"archive, line 1: ", "header"});
  expect_says(import(endless(std::string(archive_head) + "[[[")), {"archive, line 2: not a JSON"});
  ops::Sha256 digest;
  digest.add(archive_head);
  expect_says(
      import(endless(archive_head + ("{\"kind\":\"archive_end\",\"threads\":0,\"sha256\":\"" +
                                     digest.digest() + "\"}\n"))),
      {"archive, line 3: something follows after the archive's end"});
  expect_says(run_bounded({"migrate-tier", "--from", "archive:" + endless(""), "--to", "local",
                           "--target-url", url, "--dry-run"},
                          4),
              {"archive, line 1: ", "header"});
  EXPECT_EQ(names(), (std::set<std::string>{"bomb"}));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(Hostile, archive_with_a_line_of_more_than_the_memory_is_an_error_and_stores_nothing) {
  const std::string bomb =
      endless(std::string(archive_head) +
              "{\"kind\":\"thread\",\"thread_id\":\"t\"}\n{\"kind\":\"blob\",\"data\":\"");
  const auto said = run_bounded({"threads", "import", bomb, "--url", url}, failed);
  expect_says(said, {"no_space", "out of memory"});
  const auto object = run_bounded({"threads", "import", bomb, "--url", url, "--json"}, failed);
  expect_says(object, {"\"code\":\"no_space\""});
  expect_says(run_bounded({"migrate-tier", "--from", "archive:" + bomb, "--to", "local",
                           "--target-url", url, "--dry-run"},
                          failed),
              {"no_space", "out of memory"});
  EXPECT_EQ(names(), (std::set<std::string>{"bomb"}));
}
#endif

// What looks like a path stays a name, wherever it comes from.
TEST_F(Hostile, names_in_an_archive_lead_to_no_file) {
  const std::vector<std::string> odd = {
      "../../escaped", "/tmp/threadkeep-escaped",       "..",
      "a/b",           "'; DROP TABLE checkpoints; --", "\r\nFLUSHALL\r\n"};
  const auto store = open(url);
  for (const auto& name : odd) {
    store->write(testing::Draft(name, name).ns(name).value(name, name, "x"), {});
  }
  run({"threads", "export", "--all", "--url", url, "--output", path("archive")}, done);
  run({"threads", "import", path("archive"), "--url", "sqlite:" + path("copy.db")}, done);
  EXPECT_EQ(open("sqlite:" + path("copy.db"))->threads({}, {}).items.size(), odd.size());
  for (const auto& name : names()) {
    EXPECT_TRUE(name == "archive" || name.starts_with("threads.db") || name.starts_with("copy.db"))
        << name;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/threadkeep-escaped"));
}

TEST(RejectedRows, go_to_no_other_directory_whatever_the_target_calls_its_run) {
  cli::MigrateOutput output(true, migration::Tier::local);
  tables::Run run;
  run.id = "../../etc/x y\n" + std::string(1000, 'a');
  output.run(run, true);
  EXPECT_EQ(output.reject_path(),
            "migrate-tier-rejects-______etc_x_y_" + std::string(50, 'a') + ".jsonl");
}

}  // namespace
}  // namespace threadkeep
#endif
