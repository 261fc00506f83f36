// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/thread_word.hpp>

#include <optional>

/// Shields that are more than a count: bounded ones.
///
/// Aim: somebody other than the shielded thread notices that a bound has passed, for that thread may be
/// computing or asleep. That is the herald, which sleeps on its bell until the next bound at the latest.
///
/// Obstacle: such a shield lies on its thread's stack and goes when it likes. The herald must not look at it
/// then; and the count of shields is changed by plain moves, which a second writer would undo.
///
/// How: a thread's listed shields form a chain, innermost first, from its word. Where the thread owns a
/// scope, the chain and the fields of its shields are guarded by the scope's lock, which the owner takes to
/// put a shield up and to take it down, and the herald to look for bounds that have passed; where it owns
/// none, nobody else looks. What runs out is not taken off the count: it is added to a second one, `run_out`,
/// which is changed with the lock held. Delivery is held back while the first count is greater. A shield that
/// goes after it ran out leaves `run_out` first: in between the thread seems shielded, for an instant and not
/// too little.
///
/// The owner, too, looks for bounds that have passed, at each checkpoint that finds a request: a
/// herald that a listener holds up lengthens no bound there. It is needed for the thread that waits.
namespace lastcall::detail {

/// Both with the scope's lock held, if the thread owns a scope.
void link(thread_word& word, listed_shield& what) noexcept;
void unlink(thread_word& word, listed_shield& what) noexcept;

struct bounds {
  unsigned passed = 0;                 ///< how many shields have run out by this look
  time_point next = time_point::max(); ///< when the next one will
};

/// With the scope's lock held: lets run out what has held back for its bound. `pending_since`: when the first
/// request came that is not acknowledged; without one, no bound runs.
bounds let_run_out(thread_word& word, const std::optional<time_point>& pending_since,
                   time_point now) noexcept;

} // namespace lastcall::detail
