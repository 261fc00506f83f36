// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <ctime>

#include <signal.h>

namespace lastcall::sys {

/// For as long as it lives, sends `signal` to the calling thread every few milliseconds. Where the kernel has
/// no timer left it does nothing.
///
/// Only for builds for ThreadSanitizer, which holds a handler back until its thread makes an atomic access or
/// enters a call it knows. A thread that blocks in another call has to come out of it now and then, or the
/// handler of a request that it was given never runs.
class slices {
public:
  explicit slices(int signal) noexcept;
  ~slices();
  slices(const slices&) = delete;
  slices& operator=(const slices&) = delete;

private:
  timer_t timer_{};
  bool running_ = false;
};

} // namespace lastcall::sys
