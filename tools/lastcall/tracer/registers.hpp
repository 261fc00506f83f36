// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <array>
#include <cstdint>
#include <sys/types.h>

/// A stopped thread's registers, as far as system calls need them. Everything that depends on the
/// processor is behind these functions.
namespace checker {

/// A system call at its entry: its number on this processor and its six arguments.
struct call_entry {
  std::int64_t number = -1;
  std::array<std::uint64_t, 6> arguments{};
};

/// What a thread in a system-call stop shows.
struct call_stop {
  enum class kind { entry, exit, gone } what = kind::gone;
  call_entry call;         ///< at the entry
  std::int64_t result = 0; ///< at the exit: negative errno, or the kernel's restart codes (-512…-516)
};

[[nodiscard]] call_stop read_call_stop(pid_t thread) noexcept;

/// In the entry stop: makes the kernel skip the call. The exit stop still comes.
[[nodiscard]] bool cancel_call(pid_t thread) noexcept;

/// In the exit stop of a cancelled call: puts the thread back in front of its call instruction, with the
/// registers it had there, so that it will make the call as if nothing had been.
[[nodiscard]] bool rewind_call(pid_t thread, const call_entry& call) noexcept;

} // namespace checker
