// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/sys/config.hpp>

#include "interrupt/custody.hpp"

namespace lastcall::detail {

/// What a signal_scope is to take, from options that have been looked at.
struct wanted_signals {
  signal_bits stopping = 0;
  signal_bits listening = 0;
};

/// Throws std::invalid_argument, which says which option is wrong, by what value, and what would be right;
/// before anything has been changed.
wanted_signals check(const signal_options& options);

/// Throws std::runtime_error when the calling thread has an alternate stack on which our handler cannot run:
/// it would end the program by SIGSEGV at the first signal.
void check_alternate_stack();

/// What the handler needs of a stack beside what the kernel lays down there. Its own frames are 400 bytes;
/// the rest is for the dynamic linker, which looks up each function at its first call and saves the
/// processor's registers meanwhile (measured: 3300 bytes in all).
inline constexpr std::size_t handler_stack =
#if defined(__SANITIZE_ADDRESS__) || LASTCALL_CONFIG_THREAD_SANITIZER
    16384;
#else
    4096;
#endif

} // namespace lastcall::detail
