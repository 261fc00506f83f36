// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/listener.hpp"

#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"

namespace lastcall::detail {

listener::listener(int signal, arrival_function fn)
    : process_{sys::this_incarnation()}, signal_{signal}, on_arrival_{std::move(fn)} {}

listener::listener(ladder_function fn) : process_{sys::this_incarnation()}, on_ladder_{std::move(fn)} {}

void listener::arrived(const request& what, bool& told) {
  if (!listens_to(what.signal)) return;
  call([&] {
    told = true;
    on_arrival_(what);
  });
}

void listener::climbed(ladder_step step, const request& what) {
  if (signal_ == 0) call([&] { on_ladder_(step, what); });
}

void listener::delayed(const request& what) {
  if (signal_ == of_delays) call([&] { on_arrival_(what); });
}

template <class Fn>
void listener::call(Fn&& fn) {
  struct over {
    listener& self;
    ~over() { self.end_call(); }
  };
  if (!begin_call()) return;
  const over at_the_end{*this};
  fn();
}

// Either this sees `ended_for_good`, or `end` sees `running`: both change one word.
bool listener::begin_call() noexcept {
  runner_.store(sys::gettid(), std::memory_order_relaxed);
  std::uint32_t idle = 0;
  // Acquire pairs with the release in end_call, for the call before.
  return state_.compare_exchange_strong(idle, running, std::memory_order_acquire, std::memory_order_relaxed);
}

void listener::end_call() noexcept {
  std::uint32_t seen = running;
  // Release pairs with the acquire in end: who sees the call ended sees what it did.
  if (state_.compare_exchange_strong(seen, 0, std::memory_order_release, std::memory_order_relaxed)) return;
  let_go(); // `end` came during the call and left this to us
  state_.store(ended_for_good, std::memory_order_release);
  wait::futex_wake_all(state_);
}

bool listener::end(deadline until) noexcept {
  // Acquire pairs with the release in end_call.
  std::uint32_t seen = state_.fetch_or(ended_for_good, std::memory_order_acq_rel) | ended_for_good;
  if (seen == ended_for_good) {
    let_go();
    return true;
  }
  // In a forked child the call does not go on, and its function is left as it is.
  if (runner_.load(std::memory_order_relaxed) == sys::gettid() || process_ != sys::this_incarnation())
    return true;
  while (((seen = state_.load(std::memory_order_acquire)) & running) != 0)
    if (wait::futex_wait(state_, seen, until) == wait::futex_result::timed_out)
      return (state_.load(std::memory_order_acquire) & running) == 0;
  return true;
}

bool listener::ended() const noexcept {
  // Idle and ended: nobody calls it again. Acquire pairs with the release in end_call.
  return state_.load(std::memory_order_acquire) == ended_for_good;
}

void listener::let_go() noexcept {
  on_arrival_ = nullptr;
  on_ladder_ = nullptr;
}

} // namespace lastcall::detail
