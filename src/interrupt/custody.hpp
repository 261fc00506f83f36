// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/found.hpp>
#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/wait/deadline.hpp>

#include "interrupt/record_ring.hpp"
#include "sys/incarnation.hpp"
#include "wait/seat.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <signal.h>

namespace lastcall::detail {

/// One more than the highest signal number of Linux.
inline constexpr int signal_limit = 65;

/// A set of signals as bits.
using signal_bits = std::uint64_t;
constexpr signal_bits bit_of(int signal) noexcept { return signal_bits{1} << (signal - 1); }

class number_writer;

/// What the handler touches: all of it, and nothing else. One object, constant-initialized and never
/// destroyed, because a handler may start before and finish after everything else (see handler.cpp).
struct custody {
  // --- is there a scope, and whose ---
  std::atomic<std::uint32_t> inside{0};     ///< handlers (and interrupt_main) that are at work now
  std::atomic<bool> open{false};            ///< arrivals are recorded; otherwise they are given back
  std::atomic<pid_t> pid{0};                ///< the process of the live scope; a forked child differs,
  std::atomic<sys::incarnation> process{0}; ///< also where it has the same id
  std::atomic<signal_bits> handled{0};      ///< signals of the live scope
  std::atomic<signal_bits> stopping{0};     ///< those of them that ask for a stop
  std::atomic<signal_bits> together{0};     ///< blocked while a handler runs
  std::atomic<found_handler> found{};       ///< what to do with handlers that were found
  std::atomic<std::atomic<std::uint32_t>*> owner_due{nullptr}; ///< the owner's word
  std::atomic<wait::seat*> owner_seat{nullptr}; ///< where the owner shows that it waits; set with the word
  std::atomic<bool> nudge_refused{false};       ///< a nudge of the owner has to be sent again, by the herald

  std::atomic<const thread_word*> owner{nullptr}; ///< the same word, to see whether it is shielded

  std::atomic<int> wakeup{-1}; ///< the descriptor of foreign loops; -1 when nobody has asked for one

  std::atomic<number_writer*> numbers{nullptr}; ///< who writes numbers into a descriptor; see number_writer
  std::atomic<std::uint32_t> feeding{0};        ///< handlers that may be writing one

  // --- what came ---
  std::array<std::atomic<std::uint64_t>, signal_limit> delivered{};  ///< arrivals of each signal
  std::array<std::atomic<std::uint64_t>, signal_limit> unrecorded{}; ///< those that found the ring full
  std::atomic<std::uint64_t> arrivals{0};                            ///< all of them, as a running number
  record_ring ring;

  // --- the bell: what the herald sleeps on ---
  std::atomic<std::uint32_t> bell{0};
  std::atomic<bool> audience{false}; ///< somebody is there whom the herald would tell of a first request

  // --- the handler's own end of the ladder ---
  std::atomic<std::uint64_t> heard{0};        ///< the herald has acted on arrivals up to this number
  std::atomic<std::uint32_t> force_at{0};     ///< the press that forces; 0: none does
  std::atomic<std::int64_t> window_ns{0};     ///< presses closer than this are one
  std::atomic<std::int64_t> last_press_ns{0}; ///< when the latest press was
  std::atomic<std::uint64_t> last_press{0};   ///< its arrival number
  std::atomic<std::uint64_t> presses{0};      ///< how many there were, below the round they belong to
};

extern constinit custody the_custody;

/// Whether the scope that is open, if any, is this process's. The id is compared first: a child that shares
/// our memory must not be mistaken for us, nor touch anything. Async-signal-safe.
bool is_of_this_process() noexcept;

/// The handler, by each of its entries: they differ in nothing but the number they hand on. See
/// dispositions.hpp. Not noexcept: a handler that is chained may end its thread by pthread_exit, which
/// unwinds.
using handler_function = void (*)(int signal, siginfo_t* info, void* context);
inline constexpr std::size_t entry_count = 8;
extern const std::array<handler_function, entry_count> entries;

/// Records an arrival, marks the owner and rings the bell, as the handler does. The caller has counted
/// itself in `inside` and seen `open`. Async-signal-safe.
void take_in(int signal, pid_t sender_pid, uid_t sender_uid) noexcept;

/// Wakes the herald. Async-signal-safe.
void ring_bell() noexcept;

/// From now on the herald is woken for every request: somebody has a token, listens, or reads the log. Wakes
/// it for what came before. Not from a handler.
void admit_audience() noexcept;

/// Forgets the presses: the ladder is at its foot, and a new round begins. By the owner.
void forget_presses() noexcept;

/// The round that an arrival belongs to which has not been written down yet.
std::uint32_t press_round() noexcept;

/// The last resort of the ladder: counts a press, and at the one that would force ends the process, if the
/// herald does not do so. A press of a round that is over counts nothing. Async-signal-safe.
void count_press(int signal, std::uint32_t round, std::int64_t now, std::uint64_t number) noexcept;

/// The one scope a process may have. False when one is live. What a forked child has inherited of its
/// parent's scope is given up first.
bool claim_process() noexcept;
void release_process() noexcept;

/// What a scope asks of the handler.
struct custody_terms {
  thread_word* owner = nullptr;
  wait::seat* owner_seat = nullptr;
  signal_bits stopping = 0;
  signal_bits listening = 0;
  ladder_policy ladder = ladder_policy::normal;
  std::chrono::nanoseconds window{};
  found_handler found = found_handler::chain;
  bool audience = false;
};

/// From here on the handler records. The process is claimed; no handler is installed yet.
void open_custody(const custody_terms& terms) noexcept;

/// From here on the handler gives back. Waits until none is inside; true when that is so by the deadline, or
/// within a second where the deadline is nearer.
bool close_custody(const deadline& until) noexcept;

} // namespace lastcall::detail
