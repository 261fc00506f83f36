// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lastcall {

/// Ends the process by `signal`, so that whoever waits for it sees WIFSIGNALED: a shell stops its loop,
/// a supervisor knows it was asked for. Restores the default disposition, unblocks the signal for this
/// thread and raises it.
///
/// Where that cannot end the process (PID 1 of a namespace, to which the kernel does not apply default
/// actions; signals whose default action is not to end), it leaves by `_exit(128 + signal)`. No
/// destructors, atexit functions or stream flushes run. A core is dumped when the signal's default
/// action says so and the limits allow it.
///
/// Signals: async-signal-safe. Threads: any; all of them end.
[[noreturn]] void end_by_signal(int signal) noexcept;

} // namespace lastcall
