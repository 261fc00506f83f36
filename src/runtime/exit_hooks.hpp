// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/runtime_options.hpp>

namespace lastcall::detail {

/// How a process ends, and what the runtime does there:
///
///     exit, return from main, the last thread's end    the runtime is finalized; statics are destroyed under
///     the
///                                                      exit guard, or not at all (exit_policy::quick)
///     pthread_exit in main                             a runtime that began there is finalized: end_of_main
///     quick_exit                                       streams speak
///     std::terminate, an exception out of main         streams speak; then the handler that was found
///     _exit, abort, a signal                           nothing: nobody is asked
///
/// Where the status would have been 0 it becomes 75 when something was left behind that was to be waited for,
/// and 74 when output was lost.
///
/// A second thread that exits meanwhile sleeps in the handler until the process has ended. One of the
/// runtime's that exits while another one finalizes is not waited for, nor is a hand: they go on once that is
/// over.
///
/// Idempotent; for whoever has last words, at the beginning of each, and for runtimes. For when it is called
/// see exit_place.
void install_exit_hooks() noexcept;
/// The same without std::terminate, which a runtime takes once it is live.
void prepare_exit_hooks() noexcept;

/// A finalization whose report nobody sees has left somebody behind.
void note_left_behind() noexcept;

/// Of the runtime that was finalized last: its exit policy and guard.
void remember_for_exit(const runtime_options& options) noexcept;

/// While a runtime is live, or streams without one, std::terminate has streams speak first. The handler that
/// was found is given back at the end of a runtime, where ours is still there: then streams hold nothing
/// back.
void take_terminate_handler() noexcept;
void give_terminate_handler_back() noexcept;

/// Registers what happens around a fork, once. 0 or minus an errno.
int prepare_runtime_for_fork() noexcept;

} // namespace lastcall::detail
