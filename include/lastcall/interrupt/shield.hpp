// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/wait/clock.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace lastcall {

/// What a shield means in a child that is forked (through libc) while it is up. There, the parent's
/// signal_scope is inert, and what is forked under no such shield acts on the first signal by the old
/// disposition.
enum class in_child : std::uint8_t {
  reset,   ///< nothing: no shield is up in the child
  inherit, ///< signals of the scope are kept until this shield ends in the child; then the old disposition
           ///< acts
  ignore   ///< … are ignored until this shield ends in the child; the first one after acts as ever
};

/// How a shield is put up.
struct shield_options {
  duration bound = duration::max(); ///< how long it may hold a request back; not positive: not at all
  in_child forked = in_child::reset;
};

namespace detail {

/// What is known of a shield that is more than a count; see listed_shields.hpp.
struct listed_shield {
  shield_options options;
  listed_shield* outer = nullptr;
  bool waiting = false; ///< a request is being held back, since `since`
  bool ran_out = false;
  time_point since{};
};

void put_up(listed_shield& what) noexcept;
void take_down(listed_shield& what) noexcept;
void leave_child_stretch(const listed_shield& what) noexcept;
void shield_ended() noexcept;

} // namespace detail

/// A stretch in which delivery to this thread is put off.
///
/// Two steps that belong together (take the money, hand over the ticket) must not be cut by a request
/// between them. A shield does not block signals and does not lose any: they are recorded, counted and
/// acted on by the herald as ever, the stop token fires; only this thread's checkpoints and `io::` calls
/// neither throw nor return early. The first checkpoint after the last shield delivers.
///
///     {
///       lastcall::shield whole;
///       account.withdraw(price);
///       desk.print(ticket);
///     }
///     lastcall::checkpoint();
///
/// `shield{5s}` is bounded: the bound runs from the first request this shield holds back. When it is over,
/// this shield holds back no longer; the next checkpoint inside it delivers, and a library call in which the
/// owner waits ends. Requests that were acknowledged in time do not count. Shields nest: delivery is held
/// back as long as one is up that has not run out.
///
/// `shield{{.forked = in_child::inherit}}` goes on in a child that is forked meanwhile. Of several nested
/// ones that do more than `reset` the outermost counts: its stretch encloses theirs. A bound does not pass in
/// the child. `exec` ends it all: what was kept is lost, what was ignored acts again.
///
/// The end of a shield delivers nothing by itself, so it never throws.
/// Threads: this thread only; others are neither protected nor slowed. Enter and leave are an increment
///   and a decrement of a thread-local number, no system call; a bounded one is noted in a list, with a lock.
///   A thread that owns no signal_scope has nothing to hold back; there, no bound passes. A shield ends on
///   the thread that made it: one that crosses threads (in a coroutine, on the heap) is misuse and aborts.
/// Signals: a plain one may be put up in a handler, a bounded one not.
/// Stop: the ladder's force step goes through every shield. `signal_scope::on_delayed` tells at once
///   what a shield holds back; the timeline says for how long.
class shield {
public:
  shield() noexcept : word_{&detail::here()} {
    // A plain increment, not a locked one: only this thread writes it. Relaxed here and below: see
    // thread_word.
    word_->shields.store(word_->shields.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    // What is protected stays behind it: a handler on this thread must not find the step begun and no shield
    // up.
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  explicit shield(duration bound) noexcept : shield{shield_options{bound}} {}
  explicit shield(const shield_options& options) noexcept;
  ~shield() {
    LASTCALL_ASSERT(word_ == &detail::here(),
                    "a shield ends on another thread than the one that made it: did a coroutine move?");
    if (listed_ != nullptr) [[unlikely]]
      detail::take_down(*listed_);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    word_->shields.store(word_->shields.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    // A handler on this thread either sees the shield down or has its bit seen here.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (word_->at_end.load(std::memory_order_relaxed) != 0) [[unlikely]]
      detail::shield_ended();
  }
  shield(const shield&) = delete;
  shield& operator=(const shield&) = delete;

private:
  // A plain shield lies in registers: GCC keeps an object in memory when it is const and has nothing mutable,
  // or when its inline functions take the address of one of its members.
  mutable detail::thread_word* word_;
  mutable detail::listed_shield* listed_ = nullptr; // `entry_`, or none
  union {
    detail::listed_shield entry_; // only where `listed_`
  };
};

/// Runs `fn` under a shield and returns what it returns. Delivery comes at the next checkpoint, so a
/// value that was returned cannot be lost to it.
template <class Fn>
decltype(auto) shielded(Fn&& fn) {
  shield up;
  return std::invoke(std::forward<Fn>(fn));
}

} // namespace lastcall
