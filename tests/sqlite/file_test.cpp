// SPDX-License-Identifier: Apache-2.0
// What may be opened, what is refused, and what the file looks like.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "sqlite/connection.hpp"
#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

class File : public ::testing::Test {
 protected:
  std::string content() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  void create_store() { open_store(file_).put(Draft("t", "1").value("a", "1", "x")); }

  // Both a read and a write are refused, and the file is left as it was.
  void expect_refused(Code code, const std::string& saying) {
    const std::string before = content();
    Checkpointer store = open_store(file_);
    for (const Error& error : {error_of([&] {
                                 store.get({"t", "", {}, {}});
                               }),
                               error_of([&] { store.put(Draft("t", "2")); })}) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(error.message().find(saying), std::string::npos) << error.what();
      EXPECT_NE(error.message().find(file_.string()), std::string::npos) << error.what();
    }
    const Health health = store.store()->ping(Call());
    EXPECT_FALSE(health.ok);
    EXPECT_NE(health.detail.find(saying), std::string::npos) << health.detail;
    EXPECT_TRUE(content() == before) << "the file was changed";
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "store.db";
};

TEST_F(File, that_is_not_a_database_is_refused) {
  std::ofstream(file_) << "this is a letter and no database\n";
  expect_refused(Code::corrupt, "not an SQLite database");
}

TEST_F(File, of_langgraphs_own_saver_is_refused_by_name) {
  RawDatabase(file_).run("CREATE TABLE checkpoints (thread_id); CREATE TABLE writes (thread_id)");
  expect_refused(Code::unsupported, "LangGraph's own SQLite saver");
}

TEST_F(File, of_another_program_is_refused_with_its_tables) {
  RawDatabase(file_).run("CREATE TABLE invoices (id); CREATE TABLE customers (id)");
  expect_refused(Code::unsupported, "customers, invoices");
}

TEST_F(File, marked_by_another_program_is_refused_even_without_tables) {
  RawDatabase(file_).run("PRAGMA application_id = 4711; CREATE TABLE t (x); DROP TABLE t");
  expect_refused(Code::unsupported, "another program");
}

TEST_F(File, of_a_newer_format_is_refused) {
  create_store();
  RawDatabase(file_).run("PRAGMA user_version = 4; PRAGMA wal_checkpoint(TRUNCATE)");
  expect_refused(Code::unsupported, "format 4");
}

TEST_F(File, of_a_format_that_never_was_is_refused) {
  create_store();
  RawDatabase(file_).run("PRAGMA user_version = 0; PRAGMA wal_checkpoint(TRUNCATE)");
  expect_refused(Code::corrupt, "format 0");
}

TEST_F(File, cut_off_in_the_middle_is_corrupt) {
  create_store();
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  expect_refused(Code::corrupt, "malformed");
}

TEST_F(File, cut_off_in_its_first_page_is_corrupt) {
  create_store();
  std::filesystem::resize_file(file_, 700);
  expect_refused(Code::corrupt, "restore");
}

TEST_F(File, without_content_becomes_a_store) {
  std::ofstream(file_).flush();
  create_store();
  EXPECT_TRUE(open_store(file_).get({"t", "", {}, {}}));
}

TEST_F(File, in_a_directory_that_is_missing_is_unavailable) {
  Checkpointer store = open_store(directory_.path() / "missing" / "store.db");
  const Error error = error_of([&] { store.put(Draft("t", "1")); });
  EXPECT_EQ(error.code(), Code::unavailable) << error.what();
  EXPECT_NE(error.message().find("directory exists"), std::string::npos) << error.what();
  std::filesystem::create_directory(directory_.path() / "missing");
  EXPECT_NO_THROW(store.put(Draft("t", "1")));
}

TEST_F(File, that_is_a_directory_is_an_invalid_argument) {
  Checkpointer store = open_store(directory_.path());
  EXPECT_EQ(error_of([&] { store.put(Draft("t", "1")); }).code(), Code::invalid_argument);
}

// Files of root are not read-only for root, so the child becomes somebody else.
void become_unprivileged() {
  if (getuid() == 0) require(setgid(65534) == 0 && setuid(65534) == 0, "setuid");
}

void expect_denied_put(const std::filesystem::path& file) {
  Checkpointer store = open_store(file);
  try {
    store.put(Draft("t", "2"));
  } catch (const Error& error) {
    require(error.code() == Code::denied, error.what());
    require(error.message().find("writable") != std::string::npos, error.what());
    return;
  }
  throw std::runtime_error("a file without permission was written");
}

TEST_F(File, that_is_read_only_is_denied_to_writers_and_open_to_readers) {
  create_store();
  chmod(directory_.path().c_str(), 0777);
  chmod(file_.c_str(), 0444);
  Child child([&] {
    become_unprivileged();
    expect_denied_put(file_);
    require(open_store(file_).get({"t", "", {}, {}}).has_value(), "it cannot be read");
  });
  EXPECT_TRUE(child.succeeded());
}

TEST_F(File, in_a_read_only_directory_is_denied) {
  create_store();
  chmod(file_.c_str(), 0444);
  chmod(directory_.path().c_str(), 0555);
  Child child([&] {
    become_unprivileged();
    expect_denied_put(file_);
    expect_denied_put(directory_.path() / "new.db");
  });
  EXPECT_TRUE(child.succeeded());
  chmod(directory_.path().c_str(), 0755);
}

TEST_F(File, has_the_marks_and_modes_that_its_format_says) {
  create_store();
  RawDatabase raw(file_);
  EXPECT_EQ(raw.value("PRAGMA application_id"), std::to_string(0x746b6570));
  EXPECT_EQ(raw.value("PRAGMA user_version"), "3");
  EXPECT_EQ(raw.value("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(raw.value("PRAGMA auto_vacuum"), "2");
  EXPECT_EQ(raw.value("PRAGMA encoding"), "UTF-8");
  EXPECT_EQ(raw.run("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                    "AND NOT strict AND name NOT GLOB 'sqlite_*'"),
            std::vector<std::string>());
}

TEST_F(File, is_synchronised_as_the_url_says) {
  const auto synchronous = [&](bool full) {
    const sqlite::Settings settings{.path = file_.string(), .full_sync = full};
    const Call call;
    sqlite::Connection connection(settings, sqlite::Connection::Purpose::write,
                                  sqlite::Connection::Missing::create, call);
    auto rows = connection.query("PRAGMA synchronous");
    EXPECT_TRUE(rows.next());
    return rows.integer(0);
  };
  EXPECT_EQ(synchronous(true), 2);
  EXPECT_EQ(synchronous(false), 1);
}

TEST_F(File, is_found_again_after_the_process_changed_its_directory) {
  Child child([&] {
    std::filesystem::current_path(directory_.path());
    Checkpointer store(open("sqlite:relative.db"));
    std::filesystem::current_path("/");
    store.put(Draft("t", "1"));
    require(std::filesystem::exists(directory_.path() / "relative.db"), "it is elsewhere");
  });
  EXPECT_TRUE(child.succeeded());
}

TEST_F(File, may_have_any_name) {
  const auto odd = directory_.path() / "a b?c%d'e#f.db";
  Checkpointer(open("sqlite:" + directory_.path().string() + "/a%20b%3Fc%25d'e%23f.db"))
      .put(Draft("t", "1"));
  EXPECT_TRUE(std::filesystem::exists(odd));
}

TEST_F(File, is_named_by_each_form_of_the_url) {
  const std::string path = file_.string();
  Checkpointer(open("sqlite:" + path)).put(Draft("t", "1"));
  EXPECT_TRUE(Checkpointer(open("sqlite://" + path)).get({"t", "", "1", {}}));
  EXPECT_TRUE(
      Checkpointer(open("sqlite:" + path + "?busy=1s&synchronous=full")).get({"t", "", "1", {}}));
}

struct BadUrl {
  const char* url;
  const char* remedy;
};

TEST(Url, that_names_no_file_is_refused_with_the_remedy) {
  for (const BadUrl& bad :
       {BadUrl{"sqlite://host/store.db", "sqlite:///absolute/path"},
        BadUrl{"sqlite:", "url 'sqlite:': needs the path of a file, as in sqlite:threads.db"},
        BadUrl{"sqlite::memory:", "memory:"}, BadUrl{"sqlite:x.db?cache=shared", "cache"},
        BadUrl{"sqlite:x.db?synchronous=off", "full"}, BadUrl{"sqlite:x.db?busy=5", "busy"},
        BadUrl{"sqlite:x.db?busy=200000d", "36500d"}, BadUrl{"sqlite:x.db?bsy=5s", "busy, "}}) {
    const Error error = error_of([&] { open(bad.url); });
    EXPECT_EQ(error.code(), Code::invalid_argument) << bad.url;
    EXPECT_NE(error.message().find(bad.remedy), std::string::npos) << error.what();
  }
}

TEST_F(File, is_not_touched_before_it_is_used) {
  const auto store = open(url_of(file_));
  EXPECT_FALSE(std::filesystem::exists(file_));
  store->setup(Call());
  EXPECT_TRUE(std::filesystem::exists(file_));
}

}  // namespace
}  // namespace threadkeep::sqlite_test
