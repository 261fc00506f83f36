// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/inline_text.hpp>
#include <lastcall/wait/deadline.hpp>

#include "interrupt/runtime_hooks.hpp"
#include "runtime/lock_queue.hpp"

#include <cstdint>
#include <string>

namespace lastcall::detail {

/// The big lock's beginning and end, for the runtime alone.
/// Before the first one opens: has the ends of threads noticed. 0 or minus an errno.
int prepare_big_lock() noexcept;
void open_big_lock(std::uint64_t generation, duration interval) noexcept;
/// Nobody of this generation gets it any more; waiters are let go. Asks who holds it to give it up, and waits
/// for that up to the deadline, which may come nearer; the holder's name where it did not.
inline_text<56> close_big_lock(std::uint64_t generation, const moving_deadline& until) noexcept;
/// At a checkpoint of its holder, which somebody has asked to hand it over. Where nothing may be thrown, a
/// thread that does not get it back is parked.
void hand_big_lock_over(at_point how);

/// As we know it, or the kernel. For reports.
std::string name_of_thread(pid_t thread);

/// Around fork.
void big_lock_before_fork() noexcept;
void big_lock_in_parent() noexcept;
void big_lock_in_child() noexcept;

/// The lock behind big_lock.
lock_queue& the_lock_queue() noexcept;
/// What it keeps of the calling thread, which it knows from here on.
lock_seat& take_lock_seat() noexcept;
/// Gives it back; who is taken back belongs to the same generation.
lock_generation give_big_lock_up() noexcept;
void take_big_lock_back(lock_generation of);
void take_big_lock_back_or_park(lock_generation of, bool unwinding) noexcept;

} // namespace lastcall::detail
