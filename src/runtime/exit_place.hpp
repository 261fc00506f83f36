// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lastcall::detail {

/// What is to be called first when the process exits: in exit_hooks.
void at_process_exit(int status, void*);

/// Has it called first when the calling thread is the one that exits: before the destructor of any static,
/// whenever that was constructed. For the main thread, and for threads of ours; without memory, nothing.
void stand_first_at_exit() noexcept;
/// A thread of ours comes to its end, and the process goes on.
void leave_exit_to_others() noexcept;

/// Has it called, whoever exits, before everything that was registered or constructed up to now.
void stay_first_at_exit() noexcept;

void exit_place_in_child() noexcept;

} // namespace lastcall::detail
