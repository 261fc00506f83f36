// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// The signal handler and everything it does.
///
/// Aim. From the first instruction of the handler to the owner's checkpoint, a signal is never lost, and
/// the thread that happened to be running is not harmed.
///
/// Obstacles. A handler interrupts its thread anywhere: inside malloc, inside a lock, inside another
/// handler. It may call only what is async-signal-safe. It may start on any thread that does not block
/// the signal, on several at once, and a handler that has begun cannot be called back: it may finish
/// after the scope that installed it has gone, and it is inherited by forked children.
///
/// What does not work. Setting a global flag: it is seen too late or never, by threads that sleep.
/// Calling request_stop on a stop source: it runs callbacks and takes locks. Writing to a pipe without a
/// record: sender and time are lost, a full pipe loses the signal, and a daemon that closes all descriptors
/// makes the handler write into a file that has nothing to do with it.
///
/// What it does. In this order, and nothing else:
///   1. keep errno;
///   2. count itself in (`inside`), then look whether a scope is open in this process; otherwise give the
///      signal back (below);
///   3. count the signal and write down number, sender and time in the ring;
///   4. write the wake-up descriptor, if a foreign loop has asked for one: one write, whose failure
///      means that it is readable already. Before the mark: see signal_core::look_again;
///   5. mark the owner's word, so that the owner's next checkpoint sees it (also when the owner is the
///      very thread that was interrupted), and wake the owner if it sleeps on the word;
///   6. at the end of the ladder, with a herald that does not answer, end the process by the signal;
///   7. ring the bell: one futex wake. The herald does the rest;
///   8. count itself out, put errno back.
/// Everything it touches is in `custody`: constant-initialized, never destroyed, lock-free. The one
/// pointer in it leads to the owner's thread-local word; closing a scope waits until `inside` is 0 before
/// the owner may go.
///
/// Giving back. A handler that starts when no scope is open (delivery had begun before the disposition was
/// restored), or in a forked child, must not swallow the signal: it puts the old disposition back if it
/// still finds ours, and queues the signal to its own thread again, with the original siginfo, so that the
/// old disposition acts as soon as this handler returns. If it finds somebody else's handler (who
/// then kept a pointer to ours and called it) it does nothing: that handler has had the signal.
///
/// What can still fail. If the ring is full, sender and time are lost and the count stays. Signals the
/// kernel merges while they are blocked never get here. A handler that has no stack left ends its thread
/// by SIGSEGV as any handler does; an alternate stack, where the thread has one, is used.

#include "interrupt/custody.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/interrupt/thread_word.hpp>

#include "interrupt/dispositions.hpp"
#include "sys/calls.hpp"
#include "sys/event_descriptor.hpp"

#include <cerrno>
#include <limits>

namespace lastcall::detail {

namespace {

class errno_kept {
public:
  errno_kept() noexcept : value_{errno} {}
  ~errno_kept() { errno = value_; }
  errno_kept(const errno_kept&) = delete;
  errno_kept& operator=(const errno_kept&) = delete;

private:
  int value_;
};

bool sender_is_known(const siginfo_t& info) noexcept {
  return info.si_code == SI_USER || info.si_code == SI_QUEUE || info.si_code == SI_TKILL;
}

// The last resort of the ladder. A press is a signal that comes at least a window after the press before
// it. The press that would force ends the process here only if the herald has not acted on the press
// before this one, a whole window ago: a herald that works forces by itself, after telling its listeners.
// All relaxed: these numbers decide, they publish nothing; `heard` is acquired only to be recent.
void count_press(custody& all, int signal, std::int64_t now, std::uint64_t number) noexcept {
  const std::uint32_t force_at = all.force_at.load(std::memory_order_relaxed);
  if (force_at == 0) return;
  std::int64_t last = all.last_press_ns.load(std::memory_order_relaxed);
  if (now - last < all.window_ns.load(std::memory_order_relaxed)) return;
  // Two handlers at once: the one that moves the time has the press, the other is a duplicate of it.
  if (!all.last_press_ns.compare_exchange_strong(last, now, std::memory_order_relaxed)) return;
  const std::uint64_t before = all.last_press.exchange(number, std::memory_order_relaxed);
  const std::uint32_t presses = all.presses.fetch_add(1, std::memory_order_relaxed) + 1;
  if (presses >= force_at && all.heard.load(std::memory_order_acquire) < before) end_by_signal(signal);
}

} // namespace

void on_signal(int signal, siginfo_t* info, void*) noexcept {
  const errno_kept kept;
  custody& all = the_custody;
  // Sequentially consistent, as are the store to `open` and the load of `inside` in close: either this
  // handler sees the scope closed, or close sees this handler inside and waits for it. Likewise for opening.
  all.inside.fetch_add(1, std::memory_order_seq_cst);
  const bool ours = all.open.load(std::memory_order_seq_cst) &&
                    all.pid.load(std::memory_order_relaxed) == sys::getpid() &&
                    (all.handled.load(std::memory_order_relaxed) & bit_of(signal)) != 0;
  if (!ours)
    hand_back(signal, *info);
  else if (sender_is_known(*info))
    take_in(signal, info->si_pid, info->si_uid);
  else
    take_in(signal, 0, 0);
  all.inside.fetch_sub(1, std::memory_order_release); // pairs with the acquire side of close's load
}

void take_in(int signal, pid_t sender_pid, uid_t sender_uid) noexcept {
  custody& all = the_custody;
  const auto index = static_cast<std::size_t>(signal);
  const std::int64_t now = sys::monotonic_ns();
  all.delivered[index].fetch_add(1, std::memory_order_relaxed); // a counter
  if (!all.ring.push({signal, sender_pid, sender_uid, now}))
    all.unrecorded[index].fetch_add(1,
                                    std::memory_order_release); // pairs with acquire in signal_core::collect
  // Release pairs with the herald's acquire: it has seen the record if it has seen the number. Sequentially
  // consistent together with the load of `wakeup` below, and with the store and the load in
  // signal_core::wakeup_fd: either this handler sees the descriptor, or its maker sees the record.
  const std::uint64_t number = all.arrivals.fetch_add(1, std::memory_order_seq_cst) + 1;
  if ((all.stopping.load(std::memory_order_relaxed) & bit_of(signal)) != 0) {
    if (const int wakeup = all.wakeup.load(std::memory_order_seq_cst); wakeup >= 0) sys::raise_event(wakeup);
    // Release pairs with the acquire in the checkpoint's slow path: who sees the bit finds the record.
    if (auto* due = all.owner_due.load(std::memory_order_relaxed)) {
      // The first to set it wakes the owner, which may sleep on another thread's signal: the herald does so
      // too, but a listener may hold that up. The handlers after it find the owner told.
      if ((due->fetch_or(interrupt_due, std::memory_order_release) & interrupt_due) == 0)
        sys::futex_wake(*due, std::numeric_limits<int>::max());
    }
    count_press(all, signal, now, number);
  }
  ring_bell();
}

void ring_bell() noexcept {
  the_custody.bell.fetch_add(1, std::memory_order_release); // pairs with acquire in the herald
  // A wake-up that fails would leave the herald asleep on a rung bell; once more costs nothing.
  if (sys::futex_wake(the_custody.bell, 1) < 0) sys::futex_wake(the_custody.bell, 1);
}

} // namespace lastcall::detail
