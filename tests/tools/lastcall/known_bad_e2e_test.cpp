// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/command.hpp"

#include <gtest/gtest.h>

// A checker that stops finding things looks like a checker of good programs. So each of these programs has
// one known defect, and the test fails unless exactly that is reported.

namespace {

using namespace checker::e2e;
using verdicts = std::set<std::string>;

checked bad(const std::string& name, words options = {}) { return check(options, {subject("bad/" + name)}); }

/// The positions at which the runs of a finding were interrupted.
std::set<std::string> positions(const nlohmann::json& finding) {
  std::set<std::string> all;
  for (const auto& [name, count] : finding.at("positions").items()) all.insert(name);
  return all;
}

#define EXPECT_ONLY(done, ...)                                                                               \
  EXPECT_EQ(done.verdicts(), (verdicts{__VA_ARGS__})) << done.all();                                         \
  EXPECT_EQ(done.exit_status(), 1) << done.all();                                                            \
  ASSERT_FALSE(done.verdicts().empty())

TEST(KnownBad, PauseAfterLookingAtAFlagHangsBeforeTheCallOnly) {
  const auto done = bad("hang_pause");
  EXPECT_ONLY(done, "hang");
  const auto& hang = *done.finding("hang");
  EXPECT_EQ(positions(hang), std::set<std::string>{"before"}) << done.all();
  EXPECT_NE(hang.at("key").get<std::string>().find("pause()#1@before"), std::string::npos) << done.all();
  EXPECT_EQ(hang.at("status"), "hung");
}

TEST(KnownBad, ALockTakenInAHandlerIsADeadlock) {
  const auto done = bad("hang_lock");
  EXPECT_ONLY(done, "hang");
  const auto signature = done.finding("hang")->at("signature").get<std::string>();
  EXPECT_NE(signature.find("deadlock"), std::string::npos) << done.all();
  EXPECT_NE(signature.find("futex"), std::string::npos) << done.all();
}

TEST(KnownBad, ASpinningWaitIsALivelock) {
  const auto done = bad("hang_livelock", {"--signal", "INT", "--max-points", "12"});
  EXPECT_ONLY(done, "hang");
  EXPECT_NE(done.finding("hang")->at("signature").get<std::string>().find("livelock"), std::string::npos)
      << done.all();
}

TEST(KnownBad, ALongSleepIsSlow) {
  const auto done = bad("hang_slow", {"--signal", "INT", "--time-limit", "300ms"});
  EXPECT_ONLY(done, "hang");
  EXPECT_NE(done.finding("hang")->at("signature").get<std::string>().find("slow"), std::string::npos)
      << done.all();
}

TEST(KnownBad, AHandlerInstalledTooEarlyCrashes) {
  const auto done = bad("crash_handler");
  EXPECT_ONLY(done, "crash");
  EXPECT_EQ(done.finding("crash")->at("status"), "SIGSEGV");
}

TEST(KnownBad, AChildThatAbortsIsACrash) {
  const auto done = bad("crash_child", {"--scope", "group"});
  EXPECT_ONLY(done, "crash");
  EXPECT_NE(done.finding("crash")->at("sentence").get<std::string>().find("child"), std::string::npos)
      << done.all();
}

TEST(KnownBad, SuccessHalfWayIsAWrongStatus) {
  const auto done = bad("status_success");
  EXPECT_ONLY(done, "wrong_status");
  EXPECT_EQ(done.finding("wrong_status")->at("status"), "exit 0");
}

TEST(KnownBad, FailureWithAllDoneIsAWrongStatus) {
  const auto done = bad("status_failure");
  EXPECT_ONLY(done, "wrong_status");
  EXPECT_EQ(done.finding("wrong_status")->at("status"), "exit 1");
}

TEST(KnownBad, SuccessWithHalfTheOutputIsAWrongStatus) { EXPECT_ONLY(bad("status_output"), "wrong_status"); }

TEST(KnownBad, DeathByAnotherSignalIsAWrongStatus) {
  const auto done = bad("status_signal");
  EXPECT_ONLY(done, "wrong_status");
  EXPECT_EQ(done.finding("wrong_status")->at("status"), "SIGKILL");
}

TEST(KnownBad, AHelperLeftBehindIsASurvivor) { EXPECT_ONLY(bad("survivor"), "survivor"); }

TEST(KnownBad, AHelperLeftBehindIsASurvivorUnderASubreaperToo) {
  EXPECT_ONLY(bad("survivor", {"--isolation", "subreaper"}), "survivor");
}

TEST(KnownBad, ATemporaryFileLeftBehindIsStray) {
  const auto done = bad("leftover_stray");
  EXPECT_ONLY(done, "leftover");
  EXPECT_EQ(done.finding("leftover")->at("files"), nlohmann::json{"STRAY out.tmp"});
}

TEST(KnownBad, RandomNamesInTmpdirAreOneGroup) {
  const auto done = bad("leftover_tmpdir");
  EXPECT_ONLY(done, "leftover");
  EXPECT_EQ(done.report.at("findings").size(), 1u) << done.all();
  EXPECT_TRUE(
      done.finding("leftover")->at("files").at(0).get<std::string>().starts_with("STRAY $TMPDIR/work."));
}

TEST(KnownBad, WritingInPlaceLeavesEmptyAndPartialFiles) {
  const auto done = bad("leftover_partial");
  EXPECT_ONLY(done, "leftover");
  std::set<std::string> files;
  for (const auto& each : done.report.at("findings")) files.insert(each.at("files").at(0).get<std::string>());
  EXPECT_EQ(files, (std::set<std::string>{"EMPTY out", "PARTIAL out"})) << done.all();
}

TEST(KnownBad, RemovingBeforeReplacingLeavesAMissingFile) {
  scratch dir;
  dir.write("settings", "old");
  const auto done = bad("leftover_missing", {"--dir", dir.path()});
  EXPECT_ONLY(done, "leftover");
  std::set<std::string> files;
  for (const auto& each : done.report.at("findings")) files.insert(each.at("files").at(0).get<std::string>());
  EXPECT_EQ(files, (std::set<std::string>{"EMPTY settings", "MISSING settings"})) << done.all();
  EXPECT_EQ(dir.read("settings"), "old") << "the directory itself must stay untouched";
}

TEST(KnownBad, AStaleLockFailsTheNextRun) {
  const auto done = bad("rerun_lock");
  EXPECT_ONLY(done, "leftover", "rerun_failed");
  EXPECT_EQ(done.finding("leftover")->at("files"), nlohmann::json{"STRAY work.lock"});
}

TEST(KnownBad, ATracebackIsNoise) { EXPECT_ONLY(bad("noise_traceback"), "noise"); }

TEST(KnownBad, ADoubleFreeIsACrashAndNoise) { EXPECT_ONLY(bad("noise_double_free"), "crash", "noise"); }

TEST(KnownBad, WhatOnlyTheUsersCheckKnowsIsFoundByIt) {
  scratch dir;
  dir.write("a", "1");
  dir.write("b", "1");
  EXPECT_ONLY(bad("verify_pair", {"--dir", dir.path(), "--verify", "cmp -s a b"}), "verify_failed");
  const auto without = bad("verify_pair", {"--dir", dir.path()});
  EXPECT_EQ(without.exit_status(), 0) << without.all();
}

TEST(KnownBad, TheReproduceLineReproduces) {
  for (const char* name : {"hang_pause", "rerun_lock", "crash_handler"}) {
    const auto done = bad(name);
    ASSERT_FALSE(done.report.at("findings").empty()) << done.all();
    for (const auto& finding : done.report.at("findings")) {
      const scratch where;
      auto line = finding.at("reproduce").get<std::string>();
      ASSERT_TRUE(line.starts_with("lastcall check ")) << line;
      line.replace(0, std::string("lastcall").size(), command_path());
      line.insert(line.find(" check ") + 6, " --json " + where / "report.json");
      const auto again = run_command({"bash", "-c", line});
      EXPECT_EQ(again.exit_status(), 1) << line << '\n' << again.out << again.err;
      const auto report = nlohmann::json::parse(where.read("report.json"));
      bool same = false;
      for (const auto& each : report.at("findings")) same |= each.at("signature") == finding.at("signature");
      EXPECT_TRUE(same) << line << '\n' << report.dump(1);
    }
  }
}

TEST(KnownBad, TheStraceLineShowsTheSameWithoutThisCommand) {
  if (run_command({"strace", "-V"}).exit_status() != 0) GTEST_SKIP() << "there is no strace here";
  const auto done = bad("leftover_stray", {"--signal", "TERM"});
  ASSERT_EQ(done.report.at("findings").size(), 1u) << done.all();
  const auto& line = done.finding("leftover")->at("strace");
  ASSERT_TRUE(line.is_string()) << done.all();
  const scratch where;
  const auto traced =
      run_command({"bash", "-c", "cd '" + where.path().string() + "' && " + line.get<std::string>()});
  EXPECT_TRUE(std::filesystem::exists(where / "out.tmp")) << line << '\n' << traced.out << traced.err;
  EXPECT_FALSE(std::filesystem::exists(where / "out"));
}

} // namespace
