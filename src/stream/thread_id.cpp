// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/thread_id.hpp"

#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"

namespace lastcall::detail {

thread_local constinit std::uint32_t known_thread_id = 0;

namespace {

// The forking thread is another one in the child. Without memory for the hook it is asked for each time.
bool forgotten_in_child() noexcept {
  static const bool asked = sys::at_fork(nullptr, nullptr, [] { known_thread_id = 0; }) >= 0;
  return asked;
}

} // namespace

std::uint32_t find_thread_id() noexcept {
  const auto id = static_cast<std::uint32_t>(sys::gettid());
  if (forgotten_in_child()) known_thread_id = id;
  return id;
}

} // namespace lastcall::detail
