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
///      means that it is readable already. Before the mark: see signal_core::look_again. And the signal's
///      number into a descriptor of the program's, if it has given one (number_writer.hpp);
///   5. mark the owner's word, so that the owner's next checkpoint sees it (also when the owner is the
///      very thread that was interrupted), wake the owner if it sleeps on the word, and nudge it if it waits
///      in an `io::` call on another thread than this;
///   6. at the end of the ladder, with a herald that does not answer, end the process by the signal;
///   7. ring the bell: one futex wake. The herald does the rest. Only where a first request has found the
///      owner itself, or nudged it out of a call, and nobody has a token or listens, is there nobody for the
///      herald to tell. Where interruptible calls are made by the fallback it always rings: the herald nudges
///      the owner out of a call that this handler has come too early for, or that the kernel goes on with;
///   8. count itself out; if it has interrupted the stretch in which an `io::` call looks at the word and
///      enters the kernel, send it back to the look (wait/interruptible_call.cpp); put errno back;
///   9. call the handler that was found, if there is one, as the kernel would have (found_call.cpp).
///      Last, and with nothing held, because that one may never return. On a thread with a shield up it is
///      called at the end of that (put_off_calls.hpp).
/// Everything it touches is in `custody`: constant-initialized, never destroyed, lock-free. The one
/// pointer in it leads to the owner's thread-local word; closing a scope waits until `inside` is 0 before
/// the owner may go.
///
/// Giving back. A handler that starts when no scope is open (delivery had begun before the disposition was
/// restored), or in a forked child, must not swallow the signal: it puts the old disposition back if it
/// still finds ours, and queues the signal to its own thread again, with the original siginfo, so that the
/// old disposition acts as soon as this handler returns. If it finds somebody else's handler (who
/// then kept a pointer to ours and called it) there is nothing to put back, and it calls what it had found.
///
/// In a child that was forked under a shield that says so, the signal is kept or ignored first: fork.hpp.
///
/// What can still fail. If the ring is full, sender and time are lost and the count stays. Signals the
/// kernel merges while they are blocked never get here. A handler that has no stack left ends its thread
/// by SIGSEGV as any handler does; an alternate stack, where the thread has one, is used.

#include "interrupt/custody.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/interrupt/thread_word.hpp>

#include "interrupt/dispositions.hpp"
#include "interrupt/fork.hpp"
#include "interrupt/found_call.hpp"
#include "interrupt/number_writer.hpp"
#include "interrupt/put_off_calls.hpp"
#include "sys/calls.hpp"
#include "sys/event_descriptor.hpp"
#include "wait/nudge.hpp"
#include "wait/raw_futex.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <utility>

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

// Release pairs with the acquire in nudge_again.
void leave_nudge_to_herald() noexcept { the_custody.nudge_refused.store(true, std::memory_order_release); }

// Whether the owner was inside a call and has been sent a nudge. (On the owner itself nothing is sent: what
// was interrupted is led back when the handler is over.)
bool nudge_owner(custody& all, const std::atomic<std::uint32_t>& due) noexcept {
  wait::seat* seat = all.owner_seat.load(std::memory_order_relaxed);
  if (seat == nullptr) return false;
  const auto result = wait::nudge(*seat, due, interrupt_due);
  if (result == wait::nudge_result::refused) leave_nudge_to_herald();
  return result == wait::nudge_result::sent;
}

// What is left to call when ours is done; nothing where that is no function.
struct ::sigaction serve(std::size_t entry, int signal, const siginfo_t* info, void* context) noexcept {
  const errno_kept kept;
  custody& all = the_custody;
  struct ::sigaction next {};
  // Sequentially consistent, as are the store to `open` and the load of `inside` in close: either this
  // handler sees the scope closed, or close sees this handler inside and waits for it. Likewise for opening.
  all.inside.fetch_add(1, std::memory_order_seq_cst);
  const bool ours = all.open.load(std::memory_order_seq_cst) && is_of_this_process() &&
                    (all.handled.load(std::memory_order_relaxed) & bit_of(signal)) != 0;
  if (is_buried(signal, entry)) {
    next = below(signal, entry);
  } else if (!ours) {
    if (!is_kept_in_child(signal, info)) next = hand_back(signal, entry, info);
  } else {
    if (info != nullptr && sender_is_known(*info))
      take_in(signal, info->si_pid, info->si_uid);
    else
      take_in(signal, 0, 0);
    next = to_chain(signal, entry);
    if (is_function(next) && put_off_call(next, signal, info)) next = {};
  }
  // Without a context ours was called by another handler that passed none on.
  if (context == nullptr || !wait::look_again(context)) {
    leave_nudge_to_herald();
    ring_bell();
  }
  all.inside.fetch_sub(1, std::memory_order_release); // pairs with the acquire side of close's load
  return next;
}

void on_signal(std::size_t entry, int signal, siginfo_t* info, void* context) {
  const struct ::sigaction next = serve(entry, signal, info, context);
  if (!is_function(next)) return;
  const int error = errno;
  call_found(next, signal, info, context);
  errno = error;
}

template <std::size_t... Entry>
constexpr std::array<handler_function, entry_count> make_entries(std::index_sequence<Entry...>) noexcept {
  return {+[](int signal, siginfo_t* info, void* context) { on_signal(Entry, signal, info, context); }...};
}

} // namespace

constexpr std::array<handler_function, entry_count> entries =
    make_entries(std::make_index_sequence<entry_count>{});

std::uint32_t press_round() noexcept {
  return static_cast<std::uint32_t>(the_custody.presses.load(std::memory_order_relaxed) >> 32);
}

// A press is a signal that comes at least a window after the press before it. The press that would force
// ends the process here only if the herald has not acted on the press before this one, a whole window ago: a
// herald that works forces by itself, after telling its listeners. A handler may be held up for long between
// its record and this place, and its request be acknowledged meanwhile; such a press is of a round that is
// over, and must not make the next one shorter. All relaxed: these numbers decide, they publish nothing;
// `heard` is acquired only to be recent.
void count_press(int signal, std::uint32_t round, std::int64_t now, std::uint64_t number) noexcept {
  custody& all = the_custody;
  const std::uint32_t force_at = all.force_at.load(std::memory_order_relaxed);
  if (force_at == 0 || press_round() != round) return;
  std::int64_t last = all.last_press_ns.load(std::memory_order_relaxed);
  if (now - last < all.window_ns.load(std::memory_order_relaxed)) return;
  // Two handlers at once: the one that moves the time has the press, the other is a duplicate of it.
  if (!all.last_press_ns.compare_exchange_strong(last, now, std::memory_order_relaxed)) return;
  const std::uint64_t before = all.last_press.exchange(number, std::memory_order_relaxed);
  std::uint64_t seen = all.presses.load(std::memory_order_relaxed);
  do
    if (static_cast<std::uint32_t>(seen >> 32) != round) return;
  while (!all.presses.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
  const auto presses = static_cast<std::uint32_t>(seen) + 1;
  if (presses >= force_at && all.heard.load(std::memory_order_acquire) < before) end_by_signal(signal);
}

void take_in(int signal, pid_t sender_pid, uid_t sender_uid) noexcept {
  custody& all = the_custody;
  const auto index = static_cast<std::size_t>(signal);
  const std::int64_t now = sys::monotonic_ns();
  const std::uint32_t round = press_round(); // before the record: who acknowledges that ends this round
  all.delivered[index].fetch_add(1, std::memory_order_relaxed); // a counter
  // Relaxed, as in thread_word::shielded. The owner's word is there as long as this handler is counted in.
  const thread_word* owner = all.owner.load(std::memory_order_relaxed);
  if (!all.ring.push({signal, sender_pid, sender_uid, now, owner != nullptr && owner->shielded()}))
    all.unrecorded[index].fetch_add(1,
                                    std::memory_order_release); // pairs with acquire in signal_core::collect
  // Release pairs with the herald's acquire: it has seen the record if it has seen the number. Sequentially
  // consistent together with the load of `wakeup` below, and with the store and the load in
  // signal_core::wakeup_fd: either this handler sees the descriptor, or its maker sees the record.
  const std::uint64_t number = all.arrivals.fetch_add(1, std::memory_order_seq_cst) + 1;
  feed_number(signal);
  // The first request of a round, on the owner itself or with the owner nudged: whoever has to know of it
  // knows. Waking the herald for it costs more than all the rest of the handler, the more so as it meets the
  // owner at the book's lock, and where nobody has a token or listens, it has nobody to tell. It acts when
  // the next request rings, in order and with the times of then.
  bool only_the_owner = false;
  if ((all.stopping.load(std::memory_order_relaxed) & bit_of(signal)) != 0) {
    const int wakeup = all.wakeup.load(std::memory_order_seq_cst);
    const bool raised = wakeup < 0 || sys::raise_event(wakeup) >= 0; // else the herald does it once more
    // Release pairs with the acquire in the checkpoint's slow path: who sees the bit finds the record.
    if (auto* due = all.owner_due.load(std::memory_order_relaxed)) {
      // The first to set it wakes the owner, which may sleep on another thread's signal: the herald does so
      // too, but a listener may hold that up. The handlers after it find the owner told.
      if ((due->fetch_or(interrupt_due, std::memory_order_release) & interrupt_due) == 0) {
        const bool knows = owner == &here() || nudge_owner(all, *due);
        if (!knows) sys::futex_wake(*due, std::numeric_limits<int>::max());
        // Relaxed: an owner on another thread was inside a call when it was nudged, and what it had put up
        // before is seen with its seat. One that has left the call since has waited for the nudge, and has
        // the bit.
        only_the_owner = knows && wait::nudges_are_sure && raised && owner != nullptr && !owner->shielded();
      }
    }
    count_press(signal, round, now, number);
  }
  // Sequentially consistent, as is the number above, and both in admit_audience: either this handler sees the
  // audience, or the herald it wakes sees this record.
  if (only_the_owner && !all.audience.load(std::memory_order_seq_cst)) return;
  ring_bell();
}

void admit_audience() noexcept {
  if (the_custody.audience.load(std::memory_order_relaxed)) return; // rung by whoever was first
  if (!the_custody.audience.exchange(true, std::memory_order_seq_cst)) ring_bell(); // pairs with take_in
}

void ring_bell() noexcept {
  the_custody.bell.fetch_add(1, std::memory_order_release); // pairs with acquire in the herald
  wait::wake_surely(the_custody.bell, 1);
}

} // namespace lastcall::detail
