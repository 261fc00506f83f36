// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

#include <cstdint>

namespace lastcall {

/// How the duty of a process 1 is done.
struct init_options {
  enum class elsewhere : std::uint8_t {
    nothing,  ///< there is no duty
    subreaper ///< the same duty, for this program's descendants only
  };
  /// What is done where this process is not process 1.
  elsewhere otherwise = elsewhere::nothing;
  /// How long those that the program has left behind may take to end after a SIGTERM. Then, and at once where
  /// it is zero, they are killed.
  duration grace{};
};

/// Does what process 1 of a container owes, by a process in front of the program.
///
/// A program that a container starts is process 1 there: no signal ends it that it does not handle, nobody
/// waits for the orphans of others, which become its children, and it cannot end by a signal. After this call
/// the program is a process like any other, the child of one that stays process 1.
///
///     int main() {
///       lastcall::take_init_duty(); // the first thing: no threads, no zygote, no signals taken
///       return app.run();
///     }
///
/// Who returns is the program, with the mask and dispositions it had, in a process group of its own, which
/// has the terminal where process 1 had it. The process in front never returns. It keeps no descriptor, and
///
/// * passes on to the program each signal that comes, with its sender, but SIGCHLD;
/// * reaps whatever ends;
/// * ends as the program does: with its status, or with 128 + n where signal n has ended it. Whatever else
/// runs in
///   the container is asked by SIGTERM where there is a `grace`, and killed.
///
/// As a subreaper it stays in the program's group, so that a shell's job is one, and ends by the signal that
/// has ended the program, without a core. Its own end, kill -9 too, is that of the program.
///
/// Threads: called while there is only one, else std::logic_error.
/// Signals: what comes before the call is lost to process 1, as the kernel has it; from the call on it waits
///   for the program. A terminal's Ctrl-Z does not stop a program below process 1, where nobody would
///   have it go on.
/// Errors: std::system_error that names the call; then there is no duty. One from the program's side (its
/// process
///   group, its terminal) is thrown below a process in front, which ends as the program does then.
/// Ordering: before a `zygote`, which would be a sister of the program. After a `reexec` where there may be a
///   subreaper: each worker would have one of its own in front, and not be known to its pool.
/// Limits: see docs/limits.md.
void take_init_duty(const init_options& options = {});

} // namespace lastcall
