// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>

namespace lastcall::sys {

/// Which process this is, in a line of processes that were copied from each other by `fork`.
///
/// A process id does not say: the child of a process 1 that makes a new pid namespace has its parent's id.
/// The number here is one of a page that the kernel wipes in a child (MADV_WIPEONFORK), however it was
/// forked, in the same moment: who finds the page empty is a child and takes the next number. Where the
/// kernel refuses such a page, the process id has to do.
///
/// A child that shares its parent's memory (vfork, posix_spawn) has its parent's number; whoever may run
/// there, such as a handler, compares the process id first.
using incarnation = std::uint64_t;

/// Asks for the page. To be called before the first number is kept; once is enough, more are harmless.
void prepare_incarnation() noexcept;

/// In a child, on its one thread: takes the next number now, also where somebody accepts the request for the
/// page and does not wipe it (an emulator).
void begin_incarnation() noexcept;

/// Never 0. Any thread; async-signal-safe.
incarnation this_incarnation() noexcept;

} // namespace lastcall::sys
