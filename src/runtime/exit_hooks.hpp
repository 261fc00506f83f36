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
///     quick_exit                                       streams speak
///     std::terminate, an exception out of main         streams speak; then the handler that was found
///     _exit, abort, a signal                           nothing: nobody is asked
///
/// Where output was lost and the status would have been 0, it becomes 74.
///
/// A second thread that exits meanwhile sleeps in the handler until the process has ended. One of the
/// runtime's that exits while another one finalizes is not waited for, nor is a hand: they go on once that is
/// over.
///
/// Idempotent; registered with the first runtime or stream. Handlers run newest first, so what is registered
/// or constructed (as a static) after that comes before.
void install_exit_hooks() noexcept;

/// Of the runtime that was finalized last: its exit policy and guard.
void remember_for_exit(const runtime_options& options) noexcept;

/// While a runtime is live, std::terminate has streams speak first. The handler that was found is given back
/// where ours is still there.
void take_terminate_handler() noexcept;
void give_terminate_handler_back() noexcept;

/// Registers what happens around a fork, once. 0 or minus an errno.
int prepare_runtime_for_fork() noexcept;

} // namespace lastcall::detail
