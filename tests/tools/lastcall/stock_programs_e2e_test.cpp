// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/command.hpp"

#include <gtest/gtest.h>

// Programs that nobody here wrote. What they do when interrupted was established with strace and by hand.

namespace {

using namespace checker::e2e;

bool some_file(const checked& done, const std::string& start) {
  for (const auto& each : done.report.at("findings"))
    for (const auto& file : each.at("files"))
      if (file.get<std::string>().starts_with(start)) return true;
  return false;
}

void write_text(const scratch& dir, const std::string& name, int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "line " + std::to_string(i) + " of an old text\n";
  dir.write(name, text);
}

void expect_nothing(const checked& done) {
  EXPECT_EQ(done.exit_status(), 0) << done.all();
  ASSERT_TRUE(done.report.is_object()) << done.all();
  EXPECT_TRUE(done.report.at("findings").empty()) << done.all();
  EXPECT_GT(done.report.at("runs"), 0) << done.all();
}

TEST(StockPrograms, TrueIsCleanEverywhere) {
  expect_nothing(check({"--signal", "INT,TERM", "--scope", "process,group"}, {"/bin/true"}));
}

TEST(StockPrograms, GzipIsCleanEverywhere) {
  const scratch dir;
  write_text(dir, "file", 400);
  expect_nothing(check({"--signal", "INT,TERM", "--dir", dir.path()}, {"gzip", "file"}));
}

TEST(StockPrograms, XzIsCleanEverywhere) {
  const scratch dir;
  write_text(dir, "file", 400);
  expect_nothing(check({"--signal", "INT,TERM", "--dir", dir.path()}, {"xz", "file"}));
}

TEST(StockPrograms, SedInPlaceLeavesItsTemporaryFile) {
  const scratch dir;
  write_text(dir, "file", 10);
  const auto done = check({"--signal", "INT", "--dir", dir.path()}, {"sed", "-i", "s/old/new/", "file"});
  EXPECT_EQ(done.exit_status(), 1) << done.all();
  EXPECT_EQ(done.verdicts(), std::set<std::string>{"leftover"}) << done.all();
  EXPECT_TRUE(some_file(done, "STRAY sed")) << done.all();
}

class GitAdd : public testing::Test {
protected:
  void SetUp() override {
    for (int i = 0; i < 4; ++i) write_text(repository, "file" + std::to_string(i), 5 + i);
    ASSERT_EQ(run_command({"git", "-C", repository.path(), "init", "-q"}).exit_status(), 0);
  }
  scratch repository;
};

TEST_F(GitAdd, LeavesItsLockAndTheNextGitRefuses) {
  const auto done = check({"--signal", "INT", "--dir", repository.path()}, {"git", "add", "-A"});
  EXPECT_EQ(done.exit_status(), 1) << done.all();
  EXPECT_TRUE(some_file(done, "STRAY .git/index.lock")) << done.all();
  EXPECT_TRUE(done.verdicts().contains("rerun_failed")) << done.all();
  EXPECT_TRUE(done.verdicts().contains("hang")) << done.all();
}

} // namespace
