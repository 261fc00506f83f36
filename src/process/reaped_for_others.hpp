// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/process_calls.hpp"

#include <mutex>
#include <optional>

namespace lastcall::detail {

/// Children that the library has started, for an `init_duty` that reaps whatever ends: it keeps for them what
/// it was told. Where there is no duty this costs a lock and an entry for each child.
///
/// The lock is held while a child is made and while one is reaped by the duty, so that none is reaped before
/// it is known here.
std::mutex& known_children_lock() noexcept;
/// With the lock held. Throws std::bad_alloc: before the child is made.
void make_room_for_child();
void add_child(pid_t child) noexcept;
/// The child is nobody's any more; what the duty was told of it.
std::optional<sys::child_end> forget_child(pid_t child) noexcept;
std::optional<sys::child_end> end_kept_for(pid_t child) noexcept;
/// By the duty, with the lock held: whether somebody knows the child, for whom it was kept then.
bool keep_for_owner(const sys::child_end& end) noexcept;

} // namespace lastcall::detail
