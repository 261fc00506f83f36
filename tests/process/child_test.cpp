// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/child.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::child;
using lastcall::child_stream;
using lastcall::deadline;
using lastcall::process_end;
using lastcall::stop_step;

constexpr auto long_enough = 30s;

std::string all_of(int fd) {
  std::string text;
  char some[512];
  for (ssize_t n = 0; (n = ::read(fd, some, sizeof some)) > 0;)
    text.append(some, static_cast<std::size_t>(n));
  return text;
}

/// What a shell script prints, in a child with these options.
std::string printed(const std::string& script, lastcall::spawn_options options = {}) {
  options.output = child_stream::pipe();
  child it{{"sh", "-c", script}, std::move(options)};
  std::string text = all_of(it.output().number());
  EXPECT_TRUE(it.wait_until(deadline::after(long_enough)));
  return text;
}

process_end end_of(child& it) {
  const auto& end = it.wait_until(deadline::after(long_enough));
  return end ? *end : process_end{};
}

/// A shell that has said that its traps are set.
child stubborn(const std::string& traps, lastcall::spawn_options options = {}) {
  options.output = child_stream::pipe();
  options.input = child_stream::pipe(); // nothing is left behind that waits: a shell's `sleep` would be
  // A signal just before bash's `read` sleeps is acted upon after it.
  child it{{"bash", "-c", traps + "; echo ready; while :; do read -t 0.05 line; done"}, std::move(options)};
  char byte = 0;
  EXPECT_EQ(::read(it.output().number(), &byte, 1), 1);
  return it;
}

std::string error_of(const std::vector<std::string>& arguments, lastcall::spawn_options options = {}) {
  try {
    child{arguments, std::move(options)}.detach();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "none";
}

TEST(Child, EndsWithItsStatusOrBySignal) {
  child three{{"sh", "-c", "exit 3"}};
  EXPECT_EQ(end_of(three).what, process_end::how::exited);
  EXPECT_EQ(describe(*three.end()), "exited with status 3");
  EXPECT_EQ(three.end()->pid, three.pid());
  child killed{{"sh", "-c", "kill -USR1 $$"}};
  EXPECT_EQ(describe(end_of(killed)), "killed by SIGUSR1");
  EXPECT_FALSE(killed.signal(SIGTERM)) << "it has ended";
}

TEST(Child, BeginsWithNoSignalBlockedOrIgnored) {
  sigset_t all;
  sigfillset(&all);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGUSR2, SIG_IGN);
  ::signal(SIGUSR1, [](int) {});
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  EXPECT_EQ(printed("grep -E '^Sig(Blk|Ign)' /proc/self/status"),
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  sigset_t now;
  ::sigprocmask(SIG_BLOCK, nullptr, &now);
  EXPECT_EQ(sigismember(&now, SIGUSR1), 1) << "the parent's mask is as it was";
}

TEST(Child, GetsStreamsDescriptorsDirectoryEnvironmentAndLimits) {
  EXPECT_EQ(printed("pwd", {.directory = "/"}), "/\n");
  EXPECT_EQ(printed("echo $ONE$TWO", {.environment = std::vector<std::string>{"ONE=1", "TWO=2"}}), "12\n");
  EXPECT_EQ(printed("ulimit -n", {.limits = {{RLIMIT_NOFILE, 64, 64}}}), "64\n");
  EXPECT_EQ(printed("cat", {.input = child_stream::nothing()}), "");
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "swapped", 7), 7);
  ::close(ends[1]);
  EXPECT_EQ(printed("cat <&5", {.descriptors = {{ends[0], 5}}}), "swapped");
  ::close(ends[0]);
}

TEST(Child, SwapsDescriptorsThatStandInEachOthersPlace) {
  int a[2], b[2];
  ASSERT_EQ(::pipe2(a, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(b, O_CLOEXEC), 0);
  ASSERT_EQ(::write(a[1], "a", 1), 1);
  ASSERT_EQ(::write(b[1], "b", 1), 1);
  const auto cat = "head -c 1 <&" + std::to_string(a[0]) + "; head -c 1 <&" + std::to_string(b[0]);
  EXPECT_EQ(printed("exec bash -c '" + cat + "'", {.descriptors = {{a[0], b[0]}, {b[0], a[0]}}}), "ba");
}

TEST(Child, KeepsNoDescriptorThatItWasNotGiven) {
  const int open = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const auto there = [&](int fd) { return "[ -e /proc/$$/fd/" + std::to_string(fd) + " ] && echo yes; :"; };
  EXPECT_EQ(printed(there(open)), "");
  EXPECT_EQ(printed(there(5), {.descriptors = {{open, 5}}}), "yes\n");
  ::close(open);
}

TEST(Child, IsInAGroupOrSessionOfItsOwnWhereAsked) {
  const auto group = [](lastcall::process_group which) {
    return printed("set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo own; [ $6 = $$ ] && echo session; :",
                   {.group = which});
  };
  EXPECT_EQ(group(lastcall::process_group::inherit), "");
  EXPECT_EQ(group(lastcall::process_group::own), "own\n");
  EXPECT_EQ(group(lastcall::process_group::session), "own\nsession\n");
}

TEST(Child, SaysWhichCallFailedAndWhatItWasAbout) {
  EXPECT_EQ(error_of({"no-such-program"}), "execve (no-such-program): No such file or directory");
  EXPECT_EQ(error_of({"/etc/passwd"}), "execve (/etc/passwd): Permission denied");
  EXPECT_EQ(error_of({"true"}, {.directory = "/no/such"}), "chdir (/no/such): No such file or directory");
  EXPECT_EQ(error_of({"true"}, {.descriptors = {{999, 5}}}),
            "fcntl (true, descriptor 999): Bad file descriptor");
  EXPECT_EQ(error_of({"true"}, {.limits = {{RLIMIT_NOFILE, 9, 8}}}),
            "prlimit (true, resource " + std::to_string(RLIMIT_NOFILE) + "): Invalid argument");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "nothing is left of them";
}

TEST(Child, RefusesNonsense) {
  EXPECT_THROW(child({}), std::invalid_argument);
  EXPECT_THROW(child({std::string{"a\0b", 3}}), std::invalid_argument);
  EXPECT_THROW(child({"true"}, {.descriptors = {{0, 5}, {1, 5}}}), std::invalid_argument);
}

TEST(Child, CannotBeHadWhereProcessesOrDescriptorsHaveRunOut) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer of undefined behaviour needs a descriptor to look at objects";
#endif
  const pid_t apart = ::fork();
  if (apart == 0) {
    ::alarm(60);
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    EXPECT_EQ(error_of({"true"}, {.input = child_stream::pipe()}),
              "pipe (a stream of a child): Too many open files");
    EXPECT_EQ(error_of({"true"}), "clone (true): Too many open files");
    ::_exit(HasFailure() ? 1 : 0);
  }
  int status = -1;
  ::waitpid(apart, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Child, ReapedElsewhereIsSurvived) {
  child it{{"sh", "-c", "exit 4"}};
  ASSERT_EQ(::waitpid(it.pid(), nullptr, 0), it.pid()); // a foreign reaper
  const process_end end = end_of(it);
  EXPECT_TRUE(end.reaped_elsewhere);
  EXPECT_TRUE(end.what == process_end::how::unknown || end.value == 4) << "kernels that keep it";
}

TEST(Child, IsWaitedForWhereSigchldIsIgnored) {
  ::signal(SIGCHLD, SIG_IGN);
  child it{{"true"}};
  EXPECT_TRUE(end_of(it).reaped_elsewhere);
  EXPECT_EQ(error_of({"no-such-program"}), "execve (no-such-program): No such file or directory");
}

TEST(Child, LeavesForeignChildrenAlone) {
  const pid_t foreign = ::fork();
  if (foreign == 0) ::_exit(7);
  child ours{{"true"}};
  EXPECT_TRUE(end_of(ours).success());
  int status = 0;
  EXPECT_EQ(::waitpid(foreign, &status, 0), foreign);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Child, IsNoLongerWaitedForPastTheDeadline) {
  child it = stubborn(":");
  EXPECT_FALSE(it.wait_until(deadline::after(1ms)));
  EXPECT_TRUE(it.stop(deadline::after(long_enough)).end->by_signal());
}

TEST(StopOfAChild, TakesTermThenWarnsThenKills) {
  std::vector<int> late;
  lastcall::spawn_options options;
  options.on_late = [&](const child&, const stop_step& step) { late.push_back(step.signal); };
  child it = stubborn("trap '' TERM", std::move(options));
  const auto result = it.stop({stop_step::term(20ms), stop_step::kill(long_enough)}, deadline::never());
  ASSERT_TRUE(result.end);
  EXPECT_EQ(describe(*result.end), "killed by SIGKILL");
  EXPECT_EQ(result.steps, 2U);
  EXPECT_EQ(late, std::vector{SIGTERM});
}

TEST(StopOfAChild, EndsWithTheFirstStepThatHelps) {
  child it = stubborn("trap 'exit 9' TERM");
  const auto result = it.stop({stop_step::term(long_enough), stop_step::kill(1s)}, deadline::never());
  EXPECT_EQ(describe(*result.end), "exited with status 9");
  EXPECT_EQ(result.steps, 1U);
}

TEST(StopOfAChild, AsksByClosingItsInputWhereNothingElseWasAgreed) {
  child it{{"cat"}, {.input = child_stream::pipe(), .output = child_stream::nothing()}};
  const auto result = it.stop({stop_step::ask(long_enough), stop_step::kill(1s)}, deadline::never());
  EXPECT_EQ(describe(*result.end), "exited with status 0");
}

TEST(StopOfAChild, KillsOneThatIsStopped) {
  child it = stubborn("trap '' TERM");
  ASSERT_TRUE(it.signal(SIGSTOP));
  const auto result = it.stop({stop_step::term(5ms), stop_step::kill(long_enough)}, deadline::never());
  EXPECT_EQ(describe(*result.end), "killed by SIGKILL");
}

TEST(StopOfAChild, IsDoneByTheDestructor) {
  pid_t pid = 0;
  {
    child it = stubborn("trap '' TERM", {.plan = {stop_step::term(5ms), stop_step::kill(long_enough)}});
    pid = it.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1) << "it has ended and was reaped";
}

TEST(StopOfAChild, WithoutTimeStillTakesEveryStep) {
  child it = stubborn("trap '' TERM");
  const auto result = it.stop({stop_step::term(1h), stop_step::kill(1h)}, deadline::after(0s));
  EXPECT_EQ(result.steps, 2U);
  EXPECT_EQ(describe(end_of(it)), "killed by SIGKILL");
}

} // namespace
