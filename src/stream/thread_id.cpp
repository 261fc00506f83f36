// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/thread_id.hpp"

#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

thread_local constinit std::uint32_t known_thread_id = 0;

namespace {

enum class hook : std::uint8_t { none, on_its_way, there };
constinit std::atomic<hook> the_hook{hook::none};

// The forking thread is another one in the child. Without memory for the hook, and while another thread
// registers it, it is asked for each time. No static of this function's: registering waits for a fork that is
// under way, and in its child the static's lock would be taken for ever.
bool forgotten_in_child() noexcept {
  hook now = hook::none;
  // Acquire pairs with the release of whoever has registered it; what it registers needs nothing else.
  if (!the_hook.compare_exchange_strong(now, hook::on_its_way, std::memory_order_acquire))
    return now == hook::there;
  const bool done = sys::at_fork(nullptr, nullptr, [] { known_thread_id = 0; }) >= 0;
  the_hook.store(done ? hook::there : hook::none, std::memory_order_release);
  return done;
}

} // namespace

std::uint32_t find_thread_id() noexcept {
  const auto id = static_cast<std::uint32_t>(sys::gettid());
  if (forgotten_in_child()) known_thread_id = id;
  return id;
}

} // namespace lastcall::detail
