// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// What cannot be asked of a signal_scope: the error says what is wrong, and nothing is half installed.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"
#include "interrupt/option_check.hpp"
#include "sys/alternate_stack.hpp"
#include "wait/nudge_signal.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <csignal>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

bool by_default(int signal) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return now.sa_handler == SIG_DFL;
}

template <class Error>
std::string refusal(const signal_options& options) {
  std::string text;
  try {
    const signal_scope scope{options};
    text = "not refused";
  } catch (const Error& error) {
    text = error.what();
  }
  EXPECT_TRUE(by_default(SIGINT) && by_default(SIGTERM)) << text;
  EXPECT_FALSE(interrupt_pending());
  const signal_scope usual; // works, and so nothing is left claimed
  return text;
}

void expect_refused(const signal_options& options, std::initializer_list<const char*> parts) {
  const std::string text = refusal<std::invalid_argument>(options);
  for (const char* part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

/// An alternate stack with a page behind it that nobody may touch, so that one byte too few ends the test.
class small_stack {
public:
  explicit small_stack(std::size_t size) : size_{size} {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    room_ = (size + page - 1) / page * page + page;
    map_ = static_cast<std::byte*>(
        ::mmap(nullptr, room_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_EQ(::mprotect(map_, page, PROT_NONE), 0);
    bottom_ = map_ + page;
    std::fill(bottom_, map_ + room_, std::byte{0xa5});
    const stack_t mine{.ss_sp = bottom_, .ss_flags = 0, .ss_size = size};
    EXPECT_EQ(::sigaltstack(&mine, &before_), 0);
  }
  ~small_stack() {
    ::sigaltstack(&before_, nullptr);
    ::munmap(map_, room_);
  }
  small_stack(const small_stack&) = delete;
  small_stack& operator=(const small_stack&) = delete;

  std::size_t used() const {
    const std::byte* top = bottom_ + size_;
    return static_cast<std::size_t>(top - std::find_if(static_cast<const std::byte*>(bottom_), top,
                                                       [](std::byte b) { return b != std::byte{0xa5}; }));
  }

private:
  std::size_t size_, room_ = 0;
  std::byte *map_ = nullptr, *bottom_ = nullptr;
  stack_t before_{};
};

} // namespace

TEST(BadInput, ASignalThatCannotBeHandledIsRefusedWithItsReason) {
  expect_refused({.signals = {SIGINT, 0}}, {"(0)", "`signals`", "no such signal"});
  expect_refused({.signals = {-1}}, {"(-1)", "no such signal"});
  expect_refused({.signals = {65}}, {"(65)", "no such signal"});
  expect_refused({.signals = {SIGKILL}}, {"SIGKILL", "the kernel lets nobody catch it"});
  expect_refused({.listen = {SIGSTOP}}, {"SIGSTOP", "`listen`", "the kernel lets nobody catch it"});
  expect_refused({.signals = {32}}, {"(32)", "the C library"});
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    expect_refused({.signals = {fault}}, {"a fault of the program"});
}

TEST(BadInput, ASignalInBothListsIsRefusedByName) {
  expect_refused({.signals = {SIGTERM, SIGHUP}, .listen = {SIGUSR1, SIGHUP}},
                 {"SIGHUP", "`signals`", "`listen`"});
}

TEST(BadInput, TheSignalThatTheLibraryNudgesWithIsRefusedWhileItIsInUse) {
  const signal_scope scope;
  const int fd = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
  char byte = 0;
  io::read(fd, &byte, 1);
  ::close(fd);
  ASSERT_NE(lastcall::wait::nudge_signal(), 0);
  try {
    detail::check({.listen = {lastcall::wait::nudge_signal()}});
    FAIL() << "not refused";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string{error.what()}.find("in use by the library"), std::string::npos) << error.what();
  }
}

TEST(BadInput, OptionsOutOfTheirRangeAreRefusedByName) {
  expect_refused({.keep = 0}, {"`keep` is 0", "1 to 1000000"});
  expect_refused({.keep = std::numeric_limits<std::size_t>::max()}, {"`keep` is 18446744073709551615"});
  expect_refused({.coalesce = -1ms}, {"`coalesce` is -1 ms", "24 hours"});
  expect_refused({.coalesce = std::chrono::milliseconds::max()}, {"`coalesce` is 9223372036854775807 ms"});
  expect_refused({.ladder = static_cast<ladder_policy>(7)}, {"`ladder` is 7"});
  expect_refused({.ignored = static_cast<inherited_ignore>(2)}, {"`ignored` is 2"});
  expect_refused({.found = static_cast<found_handler>(3)}, {"`found` is 3"});
}

TEST(BadInput, TheLimitsOfTheOptionsAreTaken) {
  { const signal_scope scope{{.coalesce = 24h, .keep = 1}}; }
  { const signal_scope scope{{.signals = {}, .listen = {}, .coalesce = 0ms}}; }
  { const signal_scope scope{{.signals = {SIGINT, SIGINT}}}; }
}

TEST(BadInput, AnEmptyFunctionIsRefused) {
  signal_scope scope;
  EXPECT_THROW((void)scope.subscribe(SIGINT, {}), std::invalid_argument);
  EXPECT_THROW((void)scope.on_ladder({}), std::invalid_argument);
  EXPECT_THROW((void)scope.on_delayed({}), std::invalid_argument);
  EXPECT_THROW(scope.post({}), std::invalid_argument);
}

TEST(BadInput, InterruptMainRefusesWhatIsNoSignal) {
  for (const int bad : {0, -1, 65, 1000}) EXPECT_THROW(interrupt_main(bad), std::invalid_argument) << bad;
}

TEST(BadInput, OfThreadsThatInstallAtOnceOneWinsAndTheOthersAreTold) {
  constexpr int threads = 4, rounds = 300;
  std::barrier start{threads}, end{threads};
  std::atomic<int> winners{0}, refused{0};
  const auto install = [&] {
    for (int round = 0; round < rounds; ++round) {
      start.arrive_and_wait();
      try {
        signal_scope scope{{.ladder = ladder_policy::patient}};
        winners.fetch_add(1);
        ::raise(SIGINT);
        EXPECT_TRUE(interrupt_pending());
        end.arrive_and_wait(); // the others have been refused by now
      } catch (const std::logic_error& error) {
        EXPECT_NE(std::string{error.what()}.find("one is live already"), std::string::npos);
        EXPECT_FALSE(interrupt_pending());
        refused.fetch_add(1);
        end.arrive_and_wait();
      }
    }
  };
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) all.emplace_back(install);
  }
  EXPECT_EQ(winners, rounds);
  EXPECT_EQ(refused, rounds * (threads - 1));
  EXPECT_TRUE(by_default(SIGINT) && by_default(SIGTERM));
}

TEST(BadInput, AnAlternateStackTooSmallForTheHandlerIsRefused) {
  const std::size_t needed = lastcall::sys::signal_frame_size() + detail::handler_stack;
  {
    const small_stack mine{needed - 1};
    try {
      const signal_scope scope;
      FAIL() << "not refused";
    } catch (const std::runtime_error& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find(std::to_string(needed - 1)), std::string::npos) << text;
      EXPECT_NE(text.find(std::to_string(needed)), std::string::npos) << text;
    }
    EXPECT_TRUE(by_default(SIGINT) && by_default(SIGTERM));
  }
  const signal_scope scope;
}

// Everything the handler can be asked for at once, on the smallest stack that is not refused.
TEST(BadInput, TheSmallestAlternateStackThatIsTakenIsEnough) {
  const std::size_t frame = lastcall::sys::signal_frame_size();
  const small_stack mine{frame + detail::handler_stack};
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  std::signal(SIGINT, [](int) {});
  signal_scope scope{{.ladder = ladder_policy::patient}};
  EXPECT_GE(scope.wakeup_fd(), 0);
  const auto feed = scope.forward_numbers(ends[1]);
  ::raise(SIGINT);
  EXPECT_TRUE(interrupt_pending());
  RecordProperty("bytes", static_cast<int>(mine.used()));
  EXPECT_LE(mine.used(), frame + detail::handler_stack * 7 / 8) << "something is left for other compilers";
  ::close(ends[0]);
  ::close(ends[1]);
}
