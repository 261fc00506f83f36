// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "wait/interruptible_call.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <type_traits>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace lastcall;

#if LASTCALL_CONFIG_CALL_SEQUENCE

namespace {

#if defined(__x86_64__)
auto& program_counter(ucontext_t& at) { return at.uc_mcontext.gregs[REG_RIP]; }
#else
auto& program_counter(ucontext_t& at) { return at.uc_mcontext.pc; }
#endif

// Where a thread goes on that a handler has interrupted at `place`.
const char* led_from(const char* place, wait::interrupted_at& said) {
  ucontext_t at{};
  auto& counter = program_counter(at);
  counter = static_cast<std::remove_reference_t<decltype(counter)>>(reinterpret_cast<std::uintptr_t>(place));
  said = wait::step_back(&at);
  return reinterpret_cast<const char*>(counter);
}

} // namespace

// An emulator may report few of these places, or one; here they are all.
TEST(InterruptibleCall, IsLedBackToItsLookFromEveryPlaceUpToTheCallAndFromNoOther) {
  const auto sequence = wait::call_sequence();
  const auto* enter = static_cast<const char*>(sequence.enter);
  const auto* begin = static_cast<const char*>(sequence.begin);
  const auto* end = static_cast<const char*>(sequence.end);
  const auto* left = static_cast<const char*>(sequence.left);
  ASSERT_TRUE(enter < begin && begin < end && end < left);
  for (const char* place = enter - 64; place < left + 64; ++place) {
    auto said = wait::interrupted_at::elsewhere;
    const char* goes_on = led_from(place, said);
    EXPECT_EQ(goes_on, place >= begin && place < end ? begin : place) << place - enter;
    EXPECT_EQ(said == wait::interrupted_at::sequence, place >= enter && place < left) << place - enter;
  }
}

#endif

TEST(InterruptibleCall, IsNotMadeWhenABitOfItsMaskIsSet) {
  const std::atomic<std::uint32_t> word{6};
  const wait::kernel_call getpid{SYS_getpid, {}};
  EXPECT_EQ(wait::interruptible_call(word, 2, getpid), wait::cancelled);
  EXPECT_EQ(wait::interruptible_call(word, ~std::uint32_t{0}, getpid), wait::cancelled);
  EXPECT_EQ(wait::interruptible_call(word, 1, getpid), ::getpid());
  EXPECT_EQ(wait::interruptible_call(word, 0, getpid), ::getpid());
}

TEST(InterruptibleCall, PassesSixArgumentsAndGivesTheKernelsAnswer) {
  const std::atomic<std::uint32_t> word{0};
  const auto page = static_cast<long>(::sysconf(_SC_PAGESIZE));
  constexpr long readable = 1, anonymous_private = 0x22;
  const long where =
      wait::interruptible_call(word, 1, {SYS_mmap, {0, page, readable, anonymous_private, -1, 0}});
  ASSERT_GT(where, 0);
  EXPECT_EQ(*reinterpret_cast<const char*>(where), 0);
  EXPECT_EQ(wait::interruptible_call(word, 1, {SYS_munmap, {where, page}}), 0);
  errno = 1234;
  EXPECT_EQ(wait::interruptible_call(word, 1, {SYS_mmap, {0, page, readable, anonymous_private, -1, 1}}),
            -EINVAL)
      << "the sixth is no multiple of a page";
  EXPECT_EQ(errno, 1234);
  EXPECT_EQ(wait::seat_here().watched.load(), nullptr) << "nothing is shown any more";
}
