// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/held_in_exit.hpp"
#include "tracer/stillness.hpp"

#include <gtest/gtest.h>
#include <sys/ptrace.h>

namespace checker {
namespace {

using testing::held_in_exit;

/// A process that waits in pause() until the object ends.
class paused {
public:
  paused() : process_(::fork()) {
    if (process_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) ::pause();
  }
  ~paused() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  paused(const paused&) = delete;
  paused& operator=(const paused&) = delete;
  [[nodiscard]] pid_t process() const noexcept { return process_; }

private:
  pid_t process_;
};

/// Looks until everybody waits; the time of the last look.
seconds look_until_waiting(stillness& quiet, const family& subject) {
  seconds now{1};
  for (quiet.look(subject, now); !quiet.is_waiting(); quiet.look(subject, now)) {
    ::sched_yield();
    now += seconds{1};
  }
  return now;
}

/// A process in pause(), just seen to wait.
struct seen_waiting {
  process_files files;
  paused one;
  family subject;
  stillness quiet{files};
  seconds since{0};
  seen_waiting() {
    subject.found(one.process());
    since = look_until_waiting(quiet, subject);
  }
  void look_after(seconds time) { quiet.look(subject, since + time); }
};

TEST(Stillness, AWaitLastsFromTheFirstLookThatSawIt) {
  seen_waiting one;
  EXPECT_EQ(one.quiet.lasted(), seconds{0});
  one.look_after(seconds{2});
  EXPECT_EQ(one.quiet.lasted(), seconds{2});
  EXPECT_TRUE(one.quiet.is_for_ever(one.subject));
  EXPECT_FALSE(is_ending(one.subject, one.files));
}

TEST(Stillness, WhatWasSeenBeforeTheBeginningIsForgotten) {
  // A request was sent, and the wait that it was about to end was taken for one that had outlasted it.
  seen_waiting one;
  one.look_after(seconds{2});
  one.quiet.begin();
  EXPECT_FALSE(one.quiet.is_waiting());
  EXPECT_FALSE(one.quiet.is_for_ever(one.subject));
  EXPECT_EQ(one.quiet.lasted(), seconds{0});
  one.look_after(seconds{3});
  EXPECT_TRUE(one.quiet.is_waiting());
  EXPECT_EQ(one.quiet.lasted(), seconds{0});
}

TEST(Stillness, WhoStandsAtAStopThatWeHaveYetToEndIsHeldUpByUs) {
  // On a busy machine programs whose every other call stops for the tracer were said to loop.
  const process_files files;
  const paused one;
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, one.process(), nullptr, nullptr), 0);
  ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, one.process(), nullptr, nullptr), 0);
  ASSERT_EQ(::waitpid(one.process(), nullptr, __WALL), one.process());
  family subject;
  auto& tracee = subject.found(one.process());
  stillness quiet{files};
  quiet.look(subject, seconds{1});
  EXPECT_FALSE(quiet.is_waiting());
  EXPECT_TRUE(quiet.is_ready());
  EXPECT_EQ(quiet.ready_share(), 1);
  tracee.is_listening = true; // a stop of its own, which somebody else has to end
  quiet.look(subject, seconds{2});
  EXPECT_FALSE(quiet.is_ready());
  EXPECT_EQ(quiet.ready_share(), 0.5);
  EXPECT_EQ(quiet.busy_share(), 1);
}

TEST(Stillness, WhoIsBeingEndedDoesNotWait) {
  // The kernel shows the call in which it was killed until the last: pause(), a wait for ever.
  const process_files files;
  const held_in_exit ending;
  if (!ending.is_possible()) GTEST_SKIP() << "pid namespaces need privileges that this user may not have";
  family subject;
  subject.found(ending.process());
  stillness quiet{files};
  look_until_waiting(quiet, subject);
  ASSERT_FALSE(describe_threads(subject, files).empty());
  ASSERT_TRUE(ending.kill(files));
  quiet.look(subject, seconds{1});
  EXPECT_FALSE(quiet.is_waiting());
  EXPECT_FALSE(quiet.is_for_ever(subject));
  EXPECT_TRUE(is_ending(subject, files));
  EXPECT_TRUE(describe_threads(subject, files).empty()) << "it is neither hung nor left behind";
}

TEST(Stillness, WhoWaitsForOneThatIsBeingEndedIsNotAloneInIt) {
  const process_files files;
  const held_in_exit ending;
  if (!ending.is_possible()) GTEST_SKIP() << "pid namespaces need privileges that this user may not have";
  const paused other;
  family subject;
  const auto first = subject.found(other.process());
  subject.adopt(first, ending.process(), ending.process());
  stillness quiet{files};
  look_until_waiting(quiet, subject);
  ASSERT_TRUE(ending.kill(files));
  quiet.look(subject, seconds{1});
  EXPECT_FALSE(quiet.is_waiting());
  EXPECT_FALSE(is_ending(subject, files));
  EXPECT_EQ(describe_threads(subject, files).size(), 1U);
}

} // namespace
} // namespace checker
