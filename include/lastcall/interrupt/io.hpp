// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

/// Blocking calls that a request ends at once, wherever they stand: before the kernel is entered, while it is
/// being entered, while it blocks. There is no polling, and no extra system call.
///
/// Each comes in four forms:
///
///     for the owner of a signal_scope          for any thread, with a token of its own
///     read(fd, into, size)                     read(fd, into, size, stop)
///     read(fd, into, size, error)              read(fd, into, size, stop, error)
///
/// The owner's forms are checkpoints: with a request pending they deliver it before they do anything,
/// throwing `interrupted` (or reporting stop_errc::interrupted). While they wait they run posted calls. Under
/// a shield and while an exception is being unwound they wait undisturbed. On other threads, and in a forked
/// child, a request does not concern them, and they wait like plain calls that are never cut short by EINTR.
///
/// The token's forms end when the token fires, and by nothing else: nothing when it fired first, or
/// stop_errc::interrupted.
///
/// What came wins: a call that has a result returns it, be it a part of what was asked for, and the request
/// is delivered by the next call. So nothing that was read is lost and nothing that was written is repeated.
///
/// Errors: std::system_error whose text names the call, or the code. EINTR is never reported. Other errors
///   are those of the manual page with the call's name; what it says about SIGPIPE holds, too.
/// Threads: any; a call concerns its own thread only.
/// Signals: not from a handler. A handler of the program's that runs meanwhile does so, and the call goes on,
///   with what is left of its time; one that leaves by longjmp must not be entered from here.

#include <lastcall/interrupt/io/call.hpp>
#include <lastcall/interrupt/io/file.hpp>
#include <lastcall/interrupt/io/nudge_signal.hpp>
#include <lastcall/interrupt/io/process.hpp>
#include <lastcall/interrupt/io/sleep.hpp>
#include <lastcall/interrupt/io/socket.hpp>
#include <lastcall/interrupt/io/transfer.hpp>
#include <lastcall/interrupt/io/wait_for.hpp>
