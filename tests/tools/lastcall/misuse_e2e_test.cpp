// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/command.hpp"
#include "tools/lastcall/own_mounts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sched.h>

// Whatever is wrong with the command line or the machine: one clear sentence, the right status, no report
// that looks like a success.

namespace {

using namespace checker::e2e;

void expect_refusal(const checked& done, int status, const std::string& part) {
  EXPECT_EQ(done.exit_status(), status) << done.all();
  EXPECT_NE(done.err.find(part), std::string::npos) << done.all();
  EXPECT_LE(std::count(done.err.begin(), done.err.end(), '\n'), 2) << done.all();
  EXPECT_TRUE(done.err.starts_with("lastcall check: ")) << done.all();
}

/// ptrace() fails with EPERM from here on, as in many containers.
void forbid_ptrace() {
  ::setenv("LSAN_OPTIONS", "detect_leaks=0", 1); // a leak check would need ptrace() itself
  std::array filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(125);
}

/// A tmpfs of a few pages at `where`, seen by this process and its children only.
void mount_tiny(const std::string& where, const char* size) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tiny", where.c_str(), "tmpfs", 0, size) != 0)
    ::_exit(125);
}

TEST(Misuse, AnUnknownProgramIsNamed) {
  expect_refusal(check({}, {"no-such-program"}), 2, "no-such-program");
  expect_refusal(check({}, {"/no/such/program"}), 2, "/no/such/program");
}

TEST(Misuse, AProgramThatMayNotBeRunIsNamed) {
  const scratch dir;
  dir.write("text", "not a program");
  expect_refusal(check({}, {dir / "text"}), 2, "text");
}

TEST(Misuse, AProgramThatFailsUndisturbedIsStatusThree) {
  expect_refusal(check({}, {"/bin/false"}), 3, "exits with status 1");
}

TEST(Misuse, AProgramThatCrashesUndisturbedIsStatusThree) {
  expect_refusal(check({}, {"sh", "-c", "kill -SEGV $$"}), 3, "left alone");
}

TEST(Misuse, AVerifierThatFailsUndisturbedIsStatusThree) {
  expect_refusal(check({"--verify", "no-such-verifier"}, {"/bin/true"}), 3, "verify");
}

TEST(Misuse, AMalformedPointIsExplained) {
  expect_refusal(check({"--at", "pause"}, {"/bin/true"}), 2, "--at");
}

TEST(Misuse, APointThatIsNeverReachedProvesNothing) {
  const auto done = check({"--at", "0:no_such_call()#1@before"}, {"/bin/true"});
  EXPECT_EQ(done.exit_status(), 2) << done.all();
  EXPECT_NE(done.out.find("the point was not reached, first at 0:no_such_call()"), std::string::npos)
      << done.all();
}

TEST(Misuse, AnUnreadableDirectoryIsNamed) {
  expect_refusal(check({"--dir", "/no/such/dir"}, {"/bin/true"}), 2, "/no/such/dir");
}

TEST(Misuse, WithoutPermissionToTraceNothingIsClaimed) {
  expect_refusal(check({}, {"/bin/true"}, forbid_ptrace), 2, "ptrace");
  expect_refusal(check({"--isolation", "subreaper"}, {"/bin/true"}, forbid_ptrace), 2, "ptrace");
}

TEST(Misuse, ADirectoryThatDoesNotFitTheDiskIsSaid) {
  if (!checker::testing::may_have_own_mounts()) GTEST_SKIP() << "a tiny disk needs mounts of its own";
  const scratch tiny;
  const scratch dir;
  dir.write("big", std::string(400'000, 'x'));
  const auto done = check({"--isolation", "subreaper", "--dir", dir.path()}, {"/bin/true"}, [&] {
    mount_tiny(tiny.path(), "size=64k");
    ::setenv("TMPDIR", tiny.path().c_str(), 1);
  });
  expect_refusal(done, 2, "No space left");
}

TEST(Misuse, AReportThatDoesNotFitTheDiskIsSaidAndTheSummaryIsStillPrinted) {
  const auto done = run_command({command_path(), "check", "--json", "/dev/full", "--", "/bin/true"});
  EXPECT_EQ(done.exit_status(), 2) << done.out << done.err;
  EXPECT_NE(done.err.find("/dev/full"), std::string::npos) << done.err;
  EXPECT_NE(done.out.find("Nothing found."), std::string::npos) << done.out;
}

TEST(Misuse, AReportOnAFullDiskLeavesNoHalfOfIt) {
  if (!checker::testing::may_have_own_mounts()) GTEST_SKIP() << "a tiny disk needs mounts of its own";
  const scratch tiny;
  const auto done = run_command({"sh", "-c",
                                 "head -c 100000 /dev/zero > full 2>/dev/null; "
                                 "\"$0\" check --json report.json -- /bin/true; echo status $?; ls",
                                 command_path()},
                                [&] {
                                  mount_tiny(tiny.path(), "size=64k");
                                  if (::chdir(tiny.path().c_str()) != 0) ::_exit(125);
                                });
  EXPECT_NE(done.out.find("Nothing found."), std::string::npos) << done.out << done.err;
  EXPECT_NE(done.out.find("status 2\nfull\n"), std::string::npos) << done.out << done.err;
  EXPECT_NE(done.err.find("cannot write report.json: No space left on device"), std::string::npos)
      << done.err;
}

TEST(Misuse, JsonOnStandardOutputIsNothingButJson) {
  const auto done = run_command({command_path(), "check", "--json", "-", "--", "/bin/true"});
  EXPECT_EQ(nlohmann::json::parse(done.out).at("findings").size(), 0u);
  EXPECT_NE(done.err.find("Nothing found."), std::string::npos) << done.err;
}

TEST(Misuse, TheCommandItselfExplainsItself) {
  EXPECT_EQ(run_command({command_path(), "--help"}).exit_status(), 0);
  EXPECT_EQ(run_command({command_path(), "check", "--help"}).exit_status(), 0);
  EXPECT_TRUE(run_command({command_path(), "--version"}).out.starts_with("lastcall 0."));
  EXPECT_EQ(run_command({command_path()}).exit_status(), 2);
  EXPECT_EQ(run_command({command_path(), "chekc"}).exit_status(), 2);
  EXPECT_EQ(run_command({command_path(), "check"}).exit_status(), 2);
}

TEST(Chroot, HasNamespacesToo) {
  // Its root is no mount point, which is what mounts of one's own are usually cut off at.
  if (!checker::testing::may_have_own_mounts())
    GTEST_SKIP() << "a chroot made of mounts needs mounts of its own";
  const scratch root;
  std::filesystem::copy_file(command_path(), root / "lastcall");
  const auto done =
      run_command({"unshare", "--mount", "sh", "-c",
                   "mkdir proc tmp && mount -t proc proc proc && "
                   "for d in usr lib lib64 bin dev; do [ -e /$d ] || continue; mkdir $d && mount --bind /$d "
                   "$d || exit; done && "
                   "chroot . /lastcall check --isolation namespaces --json - --quiet -- /bin/true"},
                  [&] {
                    ::setenv("TMPDIR", "/tmp", 1);
                    if (::chdir(root.path().c_str()) != 0) ::_exit(125);
                  });
  ASSERT_EQ(done.exit_status(), 0) << done.out << done.err;
  EXPECT_EQ(nlohmann::json::parse(done.out).at("isolation"), "namespaces");
}

TEST(Unprivileged, NobodyMayCheckToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "already unprivileged: every other test shows it";
  // The build tree may be closed to others: the two programs are copied to where nobody can read them.
  const scratch open;
  namespace fs = std::filesystem;
  ASSERT_EQ(::chmod(open.path().c_str(), 0777), 0);
  fs::copy_file(command_path(), open / "lastcall");
  for (const char* name : {"bad/survivor", "bad/hang_pause"})
    fs::copy_file(subject(name), open / fs::path(name).filename().string());
  for (const char* how : {"auto", "subreaper"})
    for (const auto& [name, verdict] : {std::pair{"survivor", "survivor"}, std::pair{"hang_pause", "hang"}}) {
      const auto done = run_command(
          {open / "lastcall", "check", "--json", "-", "--quiet", "--isolation", how, "--", open / name}, [&] {
            ::setenv("TMPDIR", open.path().c_str(), 1);
            if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(125);
          });
      ASSERT_EQ(done.exit_status(), 1) << how << ' ' << done.out << done.err;
      EXPECT_EQ(nlohmann::json::parse(done.out).at("findings").at(0).at("verdict"), verdict) << done.out;
    }
}

} // namespace
