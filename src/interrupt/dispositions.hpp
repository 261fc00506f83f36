// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "interrupt/custody.hpp"

#include <cstddef>
#include <cstdint>

namespace lastcall::detail {

/// Who stands where. A program's parts take signals on top of each other, and each keeps a pointer to what it
/// found, to call it and to put it back:
///
///     kernel ─▶ theirs, taken last ─▶ ours ─▶ what we found
///
/// They leave in any order. If ours goes first, theirs still calls us, and what we found must go on hearing;
/// a scope that is made then finds *theirs*, calls it, and is called by it in turn: round and round for ever.
/// So our handler has several entries, each with its own memory of what it found, and a scope takes one that
/// nobody can be holding: an entry that was not on top when its scope gave back is *buried*, and is passed
/// over until it turns up on top again. A call by a buried entry is one of theirs, not one of the kernel's.
///
/// An entry is not used for two scopes in a row either: a handler that began with it, before its scope
/// closed, may still read what that one found.

/// What became of a signal that was to be taken.
enum class taking : std::uint8_t {
  installed,
  left_ignored, ///< ignored when found, and to stay so
  left_alone    ///< somebody else's handler was found, and is to be kept
};

/// How a signal is taken.
struct taking_terms {
  signal_bits together = 0; ///< blocked while our handler runs
  inherited_ignore ignored = inherited_ignore::keep;
  found_handler found = found_handler::chain;
};

/// Whether a signal can be handled at all: null if so, otherwise why not. It must exist, the kernel must let
/// it be caught, the C library must not need it for itself, and no fault of the program may raise it.
const char* why_unhandled(int signal) noexcept;

/// Remembers the disposition of `signal` and installs ours. 0 or minus an errno, and then nothing has
/// changed.
int install(int signal, const taking_terms& terms, taking& result) noexcept;

/// Puts the remembered disposition back where ours is still in place. A refusal is answered by one more
/// try; after that the handler itself gives the signal back when it comes.
void give_back(int signal) noexcept;

/// Whether `entry` may be somebody else's way to what we found, and not the kernel's way to us.
/// Async-signal-safe, as all that follows.
bool is_buried(int signal, std::size_t entry) noexcept;

/// Whether our handler, by whatever entry, is what the kernel calls now.
bool ours_is_on_top(int signal) noexcept;

/// For an arrival that a scope has taken in: what its handler found, if that is to be called too. A handler
/// that was to be called once (SA_RESETHAND) is handed out once, here and below.
struct ::sigaction to_chain(int signal, std::size_t entry) noexcept;

/// For a call by a buried entry: what its handler found.
struct ::sigaction below(int signal, std::size_t entry) noexcept;

/// For an arrival without a scope: gives `signal` back and lets the kernel do it again, under the old
/// disposition. Where that is not in force, because somebody else has taken the signal and calls us, or has
/// taken it since, returns what is left to call.
struct ::sigaction hand_back(int signal, std::size_t entry, const siginfo_t* info) noexcept;

/// For an arrival of a scope that was never made: raises the signal in this thread, as if sent by that
/// sender, unless the handler that was found has been called for it already.
void raise_under_old_disposition(int signal, pid_t sender_pid, uid_t sender_uid) noexcept;

/// Whether `what` is a function, and not to ignore or the default.
bool is_function(const struct ::sigaction& what) noexcept;

} // namespace lastcall::detail
