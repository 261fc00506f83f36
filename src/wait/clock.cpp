// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/wait/clock.hpp>

#include "sys/calls.hpp"

#include <atomic>

namespace lastcall {

namespace {

clock::time_point steady() noexcept { return std::chrono::steady_clock::now(); }

// Relaxed: the source is a function without state of its own that the exchange would have to publish.
constinit std::atomic<clock::source> current{&steady};

} // namespace

clock::time_point clock::now() noexcept { return current.load(std::memory_order_relaxed)(); }

clock::time_point clock::roughly_now() noexcept {
  const auto source = current.load(std::memory_order_relaxed);
  return source == &steady ? time_point{duration{sys::monotonic_ns_of_tick()}} : source();
}

clock::source clock::exchange_source(source next) noexcept {
  return current.exchange(next != nullptr ? next : &steady, std::memory_order_relaxed);
}

} // namespace lastcall
