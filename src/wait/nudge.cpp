// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Waking exactly those who wait.
///
/// Aim. A bit was set in a word by another thread; the thread that waits inside a call must look. Nobody else
/// may notice anything: not a thread that waits for something else, and not this one a moment later, when the
/// signal would end some foreign call by EINTR.
///
/// Whether to send. The thread shows the word in its seat and then looks at it; the nudger sets the bit and
/// then looks at the seat. One of them must see the other's write. The thread does so for every call and pays
/// nothing; the nudger pays for both, by asymmetric_barrier.
///
/// Leaving. `nudges` counts nudgers between their look and the end of their tgkill, and has a bit for
/// "something was sent". A thread whose call is over hides its word, and then looks at `nudges`: by the same
/// barrier, a nudger that has still seen the word is counted there. The thread waits for it, a few
/// microseconds, and then takes its pending nudges from the kernel, delivered or blocked. After that there is
/// none, and none comes.
///
/// Nested handlers. A handler of ours that interrupts the sequence itself moves it (step_back). If a handler
/// of the program's has interrupted it, and ours has interrupted that one, moving is not possible: the
/// program counter of the sequence lies in a frame that is not ours to read. Then ours blocks the nudge
/// signal in the frame it returns to and sends it to its own thread. It stays pending for as long as the
/// other handler runs; when that returns, the kernel restores the mask of the sequence, and delivers the
/// nudge at the very instruction where the sequence was interrupted. (If the other handler has blocked the
/// nudge itself, the same happens by itself.)
///
/// Lost nudges. Real-time signals are queued, and tgkill fails when the user's queue is full
/// (RLIMIT_SIGPENDING): it is sent again. The herald does so for the owner, with its bell as the alarm clock;
/// a token's callback does for its thread, for it may wait. A thread that blocks the nudge signal cannot be
/// nudged: see docs/limits.md.

#include "wait/nudge.hpp"

#include <lastcall/wait/asymmetric_barrier.hpp>

#include "sys/calls.hpp"
#include "wait/interruptible_call.hpp"
#include "wait/nudge_signal.hpp"
#include "wait/raw_futex.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace lastcall::wait {

namespace {

// The other bit of seat::nudges; below it the number of nudgers at work.
constexpr std::uint32_t awaited_bit = 1U << 30U; ///< the thread sleeps until the number is 0
constexpr std::uint32_t count_mask = awaited_bit - 1;

// With the nudge signal blocked where it returns to, it comes when that handler has returned.
bool send_behind_nested(ucontext_t& nested, seat& mine) noexcept {
  const int signal = nudge_signal();
  sigaddset(&nested.uc_sigmask, signal);
  mine.nudges.fetch_or(nudge_sent, std::memory_order_relaxed); // this thread itself reads it
  return sys::tgkill_self(signal) >= 0;
}

// Something is due, and what was interrupted is not the sequence.
bool is_nested(const seat& mine) noexcept {
  // Relaxed: this thread wrote it; the word is looked at again by the sequence.
  const auto* word = mine.watched.load(std::memory_order_relaxed);
  return word != nullptr &&
         (word->load(std::memory_order_relaxed) & mine.mask.load(std::memory_order_relaxed)) != 0;
}

void on_nudge(int, siginfo_t*, void* context) noexcept {
  const int kept = errno;
  seat& mine = seat_here();
  if (step_back(context) == interrupted_at::elsewhere && is_nested(mine))
    send_behind_nested(*static_cast<ucontext_t*>(context),
                       mine); // its own place in the queue has just become free
  errno = kept;
}

// A thread that ends gives its share back.
struct share {
  ~share() { leave_seat(); }
  bool held = false;
  bool was_blocked = false;
};
thread_local constinit share my_share;

} // namespace

void forget_seat_in_child() noexcept {
  seat& mine = seat_here();
  mine.thread.store(0, std::memory_order_relaxed);
  mine.nudges.store(0, std::memory_order_relaxed);
  mine.watched.store(nullptr, std::memory_order_relaxed);
}

int take_seat() noexcept {
  // A forked child keeps the share it has inherited.
  if (!my_share.held) {
    if (const int error = take_nudge_signal(&on_nudge); error < 0) return error;
    my_share.held = true;
    my_share.was_blocked = sys::is_blocked(nudge_signal());
    if (my_share.was_blocked) sys::unblock(nudge_signal());
  }
  seat& mine = seat_here();
  mine.barrier_needed = asymmetric_barrier::light_is_free() ? 0 : 1;
  // Relaxed: who nudges has seen `watched`, which is released after this.
  mine.thread.store(sys::gettid(), std::memory_order_relaxed);
  return 0;
}

void leave_seat() noexcept {
  if (!seat_taken()) return;
  seat_here().thread.store(0, std::memory_order_relaxed);
  if (!std::exchange(my_share.held, false)) return;
  if (my_share.was_blocked) sys::block(nudge_signal());
  give_back_nudge_signal();
}

bool seems_to_wait(const seat& of, const std::atomic<std::uint32_t>& word, std::uint32_t bits) noexcept {
  // Acquire pairs with the release of `watched` in the sequence: the mask is that call's, or a later one's.
  return of.watched.load(std::memory_order_acquire) == &word &&
         (of.mask.load(std::memory_order_relaxed) & bits) != 0;
}

nudge_result nudge(seat& to, const std::atomic<std::uint32_t>& word, std::uint32_t bits) noexcept {
  to.nudges.fetch_add(1, std::memory_order_relaxed); // ordered by the barrier
  asymmetric_barrier::heavy(); // pairs with the one in the sequence, and with the one in interruptible_call
  auto result = nudge_result::not_waiting;
  if (seems_to_wait(to, word, bits)) {
    // Before it is sent: it may be taken before the next instruction here.
    to.nudges.fetch_or(nudge_sent, std::memory_order_relaxed); // published by the decrement below
    const int error = sys::tgkill(to.thread.load(std::memory_order_relaxed), nudge_signal());
    result = error < 0 ? nudge_result::refused : nudge_result::sent;
  }
  // Release pairs with the acquire in settle_nudges. After it the seat may be gone; a wake-up of an address
  // nobody sleeps on is harmless.
  const std::uint32_t before = to.nudges.fetch_sub(1, std::memory_order_release);
  if ((before & awaited_bit) != 0 && (before & count_mask) == 1)
    wake_surely(to.nudges, std::numeric_limits<int>::max());
  return result;
}

void nudge_until_heard(seat& to, const std::atomic<std::uint32_t>& word, std::uint32_t bits) noexcept {
  constexpr std::int64_t longest_ns = 16'000'000;
  for (std::int64_t pause_ns = 50'000;; pause_ns = std::min(2 * pause_ns, longest_ns)) {
    const nudge_result result = nudge(to, word, bits);
    if (result == nudge_result::not_waiting || (nudges_are_sure && result == nudge_result::sent)) return;
    pause(pause_ns);
  }
}

bool look_again(void* context) noexcept {
  seat& mine = seat_here();
  if (step_back(context) == interrupted_at::sequence || !is_nested(mine)) return true;
  // One on its way is enough, and a storm of signals must not fill the queue.
  if ((mine.nudges.load(std::memory_order_relaxed) & nudge_sent) != 0) return true;
  return send_behind_nested(*static_cast<ucontext_t*>(context), mine);
}

void settle_nudges(seat& mine) noexcept {
  // Acquire pairs with the release in nudge.
  std::uint32_t seen = mine.nudges.load(std::memory_order_acquire);
  while ((seen & count_mask) != 0) {
    if ((seen & awaited_bit) == 0) {
      mine.nudges.compare_exchange_weak(seen, seen | awaited_bit, std::memory_order_relaxed);
      seen = mine.nudges.load(std::memory_order_acquire);
      continue;
    }
    sys::futex_wait(mine.nudges, seen, -1);
    seen = mine.nudges.load(std::memory_order_acquire);
  }
  // Those who come from here on see no word and send nothing.
  if ((mine.nudges.fetch_and(count_mask, std::memory_order_acquire) & nudge_sent) != 0)
    while (sys::take_pending(nudge_signal()) > 0) {
    }
}

} // namespace lastcall::wait
