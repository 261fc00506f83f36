// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What comes first when a process exits, and what its status says of what was left. Exit handlers run newest
// first; ours was once registered with the first runtime or stream of a process and never again, so every
// static that was constructed later was destroyed under a live runtime, without a guard.
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/exit_place.hpp"
#include "runtime/last_words.hpp"
#include "runtime/quiet.hpp"
#include "runtime/story.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include <malloc.h>
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

class ExitOrder : public testing::Test {
protected:
  void SetUp() override { the_story = &story_; }
  std::string told() { return story_.told(); }

private:
  story story_;
};

struct tells {
  ~tells() { tell("static."); }
};
struct hangs {
  ~hangs() {
    for (;;) ::pause();
  }
};
struct speaker final : lastcall::detail::last_words {
  speaker() { enlist(); }
  ~speaker() { strike_off(lastcall::deadline::never()); }
  void say(last_words_round& round) noexcept override { tell(round.last ? "words again, " : "words, "); }
};

[[noreturn]] void throw_it() { throw std::runtime_error{"out of main"}; }

lastcall::runtime_options guarded() {
  auto options = quiet();
  options.exit_guard = 50ms;
  ::close(2); // what the guard says is not looked at
  return options;
}

TEST_F(ExitOrder, AStaticThatIsMadeAfterTheRuntimeIsDestroyedAfterItsEnd) {
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              lastcall::at_exit([] { tell("at_exit, "); });
              static const tells late;
              return 3;
            }),
            3);
  EXPECT_EQ(told(), "at_exit, static.");
}

TEST_F(ExitOrder, AStaticThatIsMadeAfterTheRuntimeIsUnderTheGuard) {
  EXPECT_EQ(status_after_exit_of([] {
              { const lastcall::runtime program{guarded()}; }
              static const hangs late;
              return 0;
            }),
            75);
}

TEST_F(ExitOrder, TheQuickPolicyDestroysNoStaticHoweverLate) {
  EXPECT_EQ(status_after_exit_of([] {
              auto options = quiet();
              options.at_exit = lastcall::exit_policy::quick;
              static lastcall::runtime program{options};
              static const tells late;
              return 7;
            }),
            7);
  EXPECT_EQ(told(), "");
}

// Main was parked for ever, and there was no guard.
TEST_F(ExitOrder, AfterAnEndOnAnotherThreadADestructorOnMainTakesTheBigLock) {
  struct takes {
    ~takes() {
      const std::scoped_lock turn{lastcall::the_big_lock()};
      tell("got it");
    }
  };
  EXPECT_EQ(status_after_exit_of([] {
              auto* const program = new lastcall::runtime{quiet()};
              static const takes late;
              std::thread{[&] { program->finalize(deadline::after(long_enough)); }}.join();
              return 4;
            }),
            4);
  EXPECT_EQ(told(), "got it");
}

TEST_F(ExitOrder, ByExitOnAThreadOfOursItIsTheSame) {
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              lastcall::at_exit([] { tell("at_exit, "); });
              static const tells late;
              new lastcall::thread{"exits", [] { std::exit(5); }};
              for (;;) ::pause();
              return 1;
            }),
            5);
  EXPECT_EQ(told(), "at_exit, static.");
}

TEST_F(ExitOrder, ByExitOnAThreadOfOthersWhatWasMadeBeforeTheLastEndIsUnderTheGuard) {
  EXPECT_EQ(status_after_exit_of([] {
              static std::optional<lastcall::runtime> program;
              program.emplace(guarded());
              static const hangs late;
              program->finalize(deadline::after(long_enough));
              std::thread{[] { std::exit(0); }}.join();
              return 1;
            }),
            75);
}

TEST_F(ExitOrder, ThreadsThatComeAndGoLeaveNothingToBeCalled) {
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime program{quiet()};
              const auto before = ::mallinfo2().uordblks;
              for (int i = 0; i < 500; ++i)
                lastcall::thread{"short", [] {}}.join(deadline::after(long_enough));
              return ::mallinfo2().uordblks < before + 8192 ? 0 : 1;
            }),
            0);
}

TEST_F(ExitOrder, KeepingTheFirstPlaceTakesNoMemory) {
  EXPECT_EQ(exit_status_of([] {
              lastcall::detail::stay_first_at_exit();
              const auto before = ::mallinfo2().uordblks;
              for (int i = 0; i < 20'000; ++i) lastcall::detail::stay_first_at_exit();
              return ::mallinfo2().uordblks < before + 4096 ? 0 : 1;
            }),
            0);
}

// What they had accepted was lost.
TEST_F(ExitOrder, AnExceptionOutOfMainHasStreamsWithoutARuntimeSpeak) {
  EXPECT_EQ(exit_status_of([]() -> int {
              std::set_terminate([] {
                tell("found handler");
                ::_exit(6);
              });
              lastcall::detail::set_write_through(false); // as where there has been no runtime yet
              new speaker;
              []() noexcept { throw_it(); }();
              return 1;
            }),
            6);
  EXPECT_EQ(told(), "words again, found handler");
}

// The status said success, though the program was not waited for to its end.
TEST_F(ExitOrder, AThreadThatIsLeftBehindIsSeenInTheStatus) {
  const auto deaf = [] {
    new lastcall::thread{"deaf", [] {
                           for (;;) ::pause();
                         }};
  };
  auto options = quiet();
  options.budget = 50ms;
  const auto at_exit = [&](int returned) {
    return status_after_exit_of([&, returned] {
      new lastcall::runtime{options};
      deaf();
      return returned;
    });
  };
  EXPECT_EQ(at_exit(0), 75);
  EXPECT_EQ(at_exit(9), 9) << "the program's own failure stands";
  EXPECT_EQ(status_after_exit_of([&] {
              const lastcall::runtime program{options};
              deaf();
              return 0;
            }),
            75)
      << "nor does anybody see the report of a destructor";
  EXPECT_EQ(status_after_exit_of([&] {
              lastcall::runtime program{options};
              deaf();
              return program.finalize().was_late() ? 0 : 1;
            }),
            0)
      << "the program has been told";
  options.at_exit = lastcall::exit_policy::quick;
  EXPECT_EQ(at_exit(0), 75);
}

} // namespace
