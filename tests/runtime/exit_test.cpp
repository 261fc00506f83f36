// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// How a process ends: each test is a child that ends in one way, and what it wrote to a pipe meanwhile.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/sys/config.hpp>

#include "runtime/last_words.hpp"
#include "runtime/quiet.hpp"
#include "runtime/story.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::detail::last_words_round;
using runtime_test::exit_status_of;
using runtime_test::quiet;
using runtime_test::status_after_exit_of;
using runtime_test::story;

constexpr auto long_enough = 30s;

story* the_story = nullptr;
void tell(std::string_view what) { the_story->tell(what); }

class Exit : public testing::Test {
protected:
  void SetUp() override { the_story = &story_; }
  std::string told() { return story_.told(); }

private:
  story story_;
};

/// Somebody with last words.
struct speaker final : lastcall::detail::last_words {
  speaker() { enlist(); }
  ~speaker() { strike_off(lastcall::deadline::never()); }
  void say(last_words_round& round) noexcept override { tell(round.last ? "words again, " : "words, "); }
};

struct a_static {
  ~a_static() { tell("static."); }
};

void begin() {
  static const a_static before;
  static speaker one;
  static lastcall::runtime program{quiet()};
  lastcall::at_exit([] { tell("at_exit, "); });
}

[[noreturn]] void throw_it() { throw std::runtime_error{"out of main"}; }

TEST_F(Exit, ReturningFromMainFinalizesAndThenDestroysStatics) {
  EXPECT_EQ(status_after_exit_of([] {
              begin();
              return 3;
            }),
            3);
  EXPECT_EQ(told(), "at_exit, words, words again, static.");
}

TEST_F(Exit, ByExitOnAnotherThreadIsTheSame) {
  EXPECT_EQ(exit_status_of([] {
              begin();
              std::thread{[] { std::exit(4); }}.join();
              return 1;
            }),
            4);
  EXPECT_EQ(told(), "at_exit, words, words again, static.");
}

TEST_F(Exit, QuicklyHasStreamsSpeakAndNothingElse) {
  EXPECT_EQ(exit_status_of([]() -> int {
              begin();
              std::quick_exit(5);
            }),
            5);
  EXPECT_EQ(told(), "words again, ");
}

TEST_F(Exit, AtOnceAsksNobody) {
  EXPECT_EQ(exit_status_of([] {
              begin();
              return 6;
            }),
            6);
  EXPECT_EQ(told(), "");
}

TEST_F(Exit, ByAbortAsksNobody) {
  EXPECT_EQ(exit_status_of([]() -> int {
              begin();
              std::abort();
            }),
            128 + SIGABRT);
  EXPECT_EQ(told(), "");
}

TEST_F(Exit, ByAnExceptionOutOfMainHasStreamsSpeakAndThenTheHandlerThatWasFound) {
  EXPECT_EQ(exit_status_of([]() -> int {
              std::set_terminate([] {
                tell("found handler");
                std::abort();
              });
              begin();
              []() noexcept { throw_it(); }();
              return 1;
            }),
            128 + SIGABRT);
  EXPECT_EQ(told(), "words again, found handler");
}

TEST_F(Exit, TheTerminateHandlerIsGivenBack) {
  const auto before = std::get_terminate();
  {
    const lastcall::runtime it{quiet()};
    EXPECT_NE(std::get_terminate(), before);
  }
  EXPECT_EQ(std::get_terminate(), before);
}

TEST_F(Exit, WithThreadsJoinsThem) {
  EXPECT_EQ(status_after_exit_of([] {
              begin();
              static lastcall::thread worker;
              worker = lastcall::thread{"worker", [](lastcall::stop_token stop) {
                                          lastcall::io::sleep_until(deadline::never(), stop);
                                          tell("worker, ");
                                        }};
              return 0;
            }),
            0);
  EXPECT_EQ(told(), "worker, at_exit, words, words again, static.");
}

TEST_F(Exit, WithADaemonInAReadDoesNotWait) {
  EXPECT_EQ(status_after_exit_of([] {
              begin();
              static int never[2];
              if (::pipe(never) != 0) return 1;
              static lastcall::daemon_thread reader{"reader", "reads for ever", [] {
                                                      char byte = 0;
                                                      lastcall::io::read(never[0], &byte, 1);
                                                      tell("came back, ");
                                                    }};
              return 0;
            }),
            0);
  EXPECT_EQ(told(), "at_exit, words, words again, static.");
}

// It once ended the process then and there: what was registered before was never called.
TEST_F(Exit, InsideACallbackWaitsUntilTheRestHasBeenDone) {
  EXPECT_EQ(status_after_exit_of([] {
              new speaker; // never destroyed, as the library's own streams
              static lastcall::runtime program{quiet()};
              lastcall::at_exit([] { tell("called, "); });
              lastcall::at_exit([] { std::exit(11); });
              program.finalize(deadline::after(long_enough));
              tell("finalized, ");
              return 0;
            }),
            11);
  EXPECT_TRUE(told().starts_with("called, words, words again, "));
}

TEST_F(Exit, QuickPolicyDestroysNoStatics) {
  EXPECT_EQ(status_after_exit_of([] {
              static const a_static before;
              auto options = quiet();
              options.at_exit = lastcall::exit_policy::quick;
              static lastcall::runtime program{options};
              lastcall::at_exit([] { tell("at_exit"); });
              return 7;
            }),
            7);
  EXPECT_EQ(told(), "at_exit");
}

TEST_F(Exit, LostOutputIsSeenInTheStatus) {
  struct loser final : lastcall::detail::last_words {
    loser() { enlist(); }
    ~loser() { strike_off(lastcall::deadline::never()); }
    void say(last_words_round& round) noexcept override {
      if (!round.last) round.note({.name = "journal", .lost = 12});
    }
  };
  const auto run = [](int returned) {
    return status_after_exit_of([returned] {
      static loser one;
      static lastcall::runtime program{quiet()};
      return returned;
    });
  };
  EXPECT_EQ(run(0), 74);
  EXPECT_EQ(run(9), 9) << "the program's own failure stands";
}

TEST_F(Exit, TheGuardEndsADestructorThatHangs) {
  struct hangs {
    ~hangs() {
      tell("hangs, ");
      for (;;) ::pause();
    }
  };
  EXPECT_EQ(status_after_exit_of([] {
              ::close(2);
              static const hangs stuck;
              auto options = quiet();
              options.exit_guard = 50ms;
              static lastcall::runtime program{options};
              return 0;
            }),
            75);
  EXPECT_EQ(told(), "hangs, ");
}

TEST_F(Exit, TheGuardHasAnAlarmWhereThereIsNoThread) {
  struct hangs {
    ~hangs() {
      for (;;) ::pause();
    }
  };
  EXPECT_EQ(status_after_exit_of([] {
              static const hangs stuck;
              auto options = quiet();
              options.exit_guard = 50ms;
              static lastcall::runtime program{options};
              program.finalize();
              if (::getuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return 1;
              const rlimit none{1, 1};
              ::setrlimit(RLIMIT_NPROC, &none);
              return 0;
            }),
            128 + SIGALRM);
}

TEST_F(Exit, AGlobalWhoseDestructorJoinsDoesNotHang) {
  struct joins {
    lastcall::daemon_thread* daemon = nullptr;
    ~joins() {
      try {
        daemon->join(deadline::never());
        tell("ended");
      } catch (const std::system_error&) {
        tell("refused");
      }
    }
  };
  EXPECT_EQ(status_after_exit_of([] {
              static joins at_the_end;
              static std::atomic<bool> there{false};
              static lastcall::runtime program{quiet()};
              static lastcall::daemon_thread parked{"parked", "is parked", [] {
                                                      std::error_code error;
                                                      there = true;
                                                      for (;;) lastcall::checkpoint(error);
                                                    }};
              at_the_end.daemon = &parked;
              while (!there) std::this_thread::yield();
              return 0;
            }),
            0);
  EXPECT_EQ(told(), "refused");
}

TEST_F(Exit, PthreadExitFromMainFinalizesByItsFrames) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER)
    GTEST_SKIP() << "its own thread keeps a process without a main thread";
  // NOLINTNEXTLINE(cert-env33-c): a program of ours
  std::FILE* out = ::popen(LEAVES_MAIN_BY_PTHREAD_EXIT, "r");
  ASSERT_NE(out, nullptr);
  char said[256]{};
  const auto size = std::fread(said, 1, sizeof said, out);
  EXPECT_EQ(::pclose(out), 0);
  EXPECT_EQ((std::string_view{said, size}), "worker, at_exit, static.");
}

// Nobody asked its threads, and a parked daemon is a thread that never ends: neither did the process.
TEST_F(Exit, PthreadExitFromMainFinalizesAStaticRuntimeToo) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER)
    GTEST_SKIP() << "its own thread keeps a process without a main thread";
  // NOLINTNEXTLINE(cert-env33-c): a program of ours
  std::FILE* out = ::popen(LEAVES_MAIN_BY_PTHREAD_EXIT " static", "r");
  ASSERT_NE(out, nullptr);
  char said[256]{};
  const auto size = std::fread(said, 1, sizeof said, out);
  EXPECT_EQ(::pclose(out), 0);
  EXPECT_EQ((std::string_view{said, size}), "worker, at_exit, static.");
}

// … but what others' threads are about is not cut short.
TEST_F(Exit, PthreadExitFromMainLeavesThreadsOfOthersAlone) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER)
    GTEST_SKIP() << "its own thread keeps a process without a main thread";
  // NOLINTNEXTLINE(cert-env33-c): a program of ours
  std::FILE* out = ::popen(LEAVES_MAIN_BY_PTHREAD_EXIT " others", "r");
  ASSERT_NE(out, nullptr);
  char said[256]{};
  const auto size = std::fread(said, 1, sizeof said, out);
  EXPECT_EQ(::pclose(out), 0);
  EXPECT_EQ((std::string_view{said, size}), "worker, at_exit, other, static.");
}

TEST_F(Exit, InAForkedChildJoinsTheChildsThreads) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              static std::atomic<bool> go_on{true};
              static lastcall::thread of_parent{"of the parent", [](lastcall::stop_token stop) {
                                                  lastcall::io::sleep_until(deadline::never(), stop);
                                                }};
              const int child = status_after_exit_of([] {
                static lastcall::thread of_child{"of the child", [](lastcall::stop_token stop) {
                                                   lastcall::io::sleep_until(deadline::never(), stop);
                                                   tell("joined");
                                                 }};
                return 8;
              });
              return child;
            }),
            8);
  EXPECT_EQ(told(), "joined");
}

// The stack of a thread that the child does not have is given to the child's next thread, with what it had
// registered there: the child crashed when it asked the parent's thread, or the runtime, to stop.
TEST_F(Exit, AForkedChildAsksNobodyOfItsParentsToStop) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              static lastcall::thread of_parent{
                  "of the parent", [] { lastcall::io::sleep_until(deadline::never(), program.token()); }};
              while (of_parent.id() == 0) std::this_thread::yield();
              int failed = 0;
              for (int round = 0; round < 20; ++round)
                if (status_after_exit_of([] {
                      static lastcall::thread of_child{"of the child", [](lastcall::stop_token stop) {
                                                         lastcall::io::sleep_until(deadline::never(), stop);
                                                       }};
                      of_parent.request_stop();
                      return program.finalize(deadline::after(long_enough)).clean() ? 0 : 1;
                    }) != 0)
                  ++failed;
              return failed;
            }),
            0);
}

TEST_F(Exit, AForkFromAThreadMakesThatThreadTheMainOneOfTheChild) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              int child = -1;
              lastcall::thread forks{"forks", [&] {
                                       child = status_after_exit_of([] {
                                         lastcall::thread{"of the child", [] { tell("joined"); }}.join();
                                         return 9;
                                       });
                                     }};
              forks.join(deadline::after(long_enough));
              return child;
            }),
            9);
  EXPECT_EQ(told(), "joined");
}

TEST_F(Exit, AForkInTheMiddleOfAFinalizationLeavesAChildThatCanFinalize) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              static std::atomic<int> child{-1};
              lastcall::thread forks{"forks", [](lastcall::stop_token stop) {
                                       lastcall::io::sleep_until(deadline::never(), stop);
                                       child = status_after_exit_of([] {
                                         tell("child, ");
                                         return 10;
                                       });
                                     }};
              const bool clean = program.finalize(deadline::after(long_enough)).clean();
              return clean ? child.load() : 1;
            }),
            10);
  EXPECT_EQ(told(), "child, ");
}

TEST_F(Exit, SixteenThreadsThatForkDoNotDeadlock) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a forked child inherits the locks of its allocator";
#endif
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              std::atomic<int> right{0};
              {
                std::vector<lastcall::thread> all;
                for (int i = 0; i < 16; ++i)
                  all.emplace_back("forks", [&] {
                    for (int round = 0; round < 5; ++round)
                      if (status_after_exit_of([] {
                            lastcall::thread one{"one", [] {}};
                            return one.join(deadline::after(long_enough)) ? 0 : 1;
                          }) == 0)
                        ++right;
                  });
                for (auto& one : all) one.join(deadline::after(long_enough));
              }
              return right == 80 ? 0 : 1;
            }),
            0);
}

TEST_F(Exit, AFinalizationIsNotCutByARequest) {
  EXPECT_EQ(status_after_exit_of([] {
              lastcall::signal_scope signals;
              lastcall::runtime program{quiet()};
              lastcall::thread worker{"worker", [](lastcall::stop_token stop) {
                                        lastcall::io::sleep_until(deadline::never(), stop);
                                        std::raise(SIGINT);
                                        tell("worker, ");
                                      }};
              lastcall::at_exit([] { tell("at_exit"); });
              const auto report = program.finalize(deadline::after(long_enough));
              return report.clean() && signals.why() ? 0 : 1;
            }),
            0);
  EXPECT_EQ(told(), "worker, at_exit");
}

} // namespace
