// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/wait/deadline.hpp>

#include "interrupt/record_ring.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include <signal.h>

namespace lastcall::detail {

/// One more than the highest signal number of Linux.
inline constexpr int signal_limit = 65;

/// A set of signals as bits.
using signal_bits = std::uint64_t;
constexpr signal_bits bit_of(int signal) noexcept { return signal_bits{1} << (signal - 1); }

/// What the handler touches: all of it, and nothing else. One object, constant-initialized and never
/// destroyed, because a handler may start before and finish after everything else (see handler.cpp).
struct custody {
  // --- is there a scope, and whose ---
  std::atomic<std::uint32_t> inside{0}; ///< handlers (and interrupt_main) that are at work now
  std::atomic<bool> open{false};        ///< arrivals are recorded; otherwise they are given back
  std::atomic<pid_t> pid{0};            ///< the process of the live scope; a forked child differs
  std::atomic<signal_bits> handled{0};  ///< signals of the live scope
  std::atomic<signal_bits> stopping{0}; ///< those of them that ask for a stop
  std::atomic<std::atomic<std::uint32_t>*> owner_due{nullptr}; ///< the owner's word

  std::atomic<int> wakeup{-1}; ///< the descriptor of foreign loops; -1 when nobody has asked for one

  // --- what came ---
  std::array<std::atomic<std::uint64_t>, signal_limit> delivered{};  ///< arrivals of each signal
  std::array<std::atomic<std::uint64_t>, signal_limit> unrecorded{}; ///< those that found the ring full
  std::atomic<std::uint64_t> arrivals{0};                            ///< all of them, as a running number
  record_ring ring;

  // --- the bell: what the herald sleeps on ---
  std::atomic<std::uint32_t> bell{0};

  // --- the handler's own end of the ladder ---
  std::atomic<std::uint64_t> heard{0};        ///< the herald has acted on arrivals up to this number
  std::atomic<std::uint32_t> force_at{0};     ///< the press that forces; 0: none does
  std::atomic<std::int64_t> window_ns{0};     ///< presses closer than this are one
  std::atomic<std::int64_t> last_press_ns{0}; ///< when the latest press was
  std::atomic<std::uint64_t> last_press{0};   ///< its arrival number
  std::atomic<std::uint32_t> presses{0};      ///< how many there were
};

extern constinit custody the_custody;

/// The handler that is installed.
void on_signal(int signal, siginfo_t* info, void* context) noexcept;

/// Records an arrival, marks the owner and rings the bell, as the handler does. The caller has counted
/// itself in `inside` and seen `open`. Async-signal-safe.
void take_in(int signal, pid_t sender_pid, uid_t sender_uid) noexcept;

/// Wakes the herald. Async-signal-safe.
void ring_bell() noexcept;

/// Forgets the presses: the ladder is at its foot.
void forget_presses() noexcept;

/// The one scope a process may have. False when one is live. What a forked child has inherited of its
/// parent's scope is given up first.
bool claim_process() noexcept;
void release_process() noexcept;

/// What a scope asks of the handler.
struct custody_terms {
  std::atomic<std::uint32_t>* owner_due = nullptr;
  signal_bits stopping = 0;
  signal_bits listening = 0;
  ladder_policy ladder = ladder_policy::normal;
  std::chrono::nanoseconds window{};
};

/// From here on the handler records. The process is claimed; no handler is installed yet.
void open_custody(const custody_terms& terms) noexcept;

/// From here on the handler gives back. Waits until none is inside; true when that is so by the deadline, or
/// within a second where the deadline is nearer.
bool close_custody(const deadline& until) noexcept;

} // namespace lastcall::detail
