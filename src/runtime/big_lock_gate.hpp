// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/inline_text.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstdint>

namespace lastcall::detail {

/// The big lock's beginning and end, for the runtime alone.
void open_big_lock(std::uint64_t generation, duration interval) noexcept;
/// Nobody of this generation gets it any more; waiters are let go. Asks who holds it to give it up, and waits
/// for that up to the deadline; the holder's name where it did not.
inline_text<56> close_big_lock(std::uint64_t generation, deadline until) noexcept;
/// At a checkpoint of its holder, which somebody has asked to hand it over.
void hand_big_lock_over() noexcept;

} // namespace lastcall::detail
