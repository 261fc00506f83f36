// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/stopper.hpp"

#include <lastcall/sys/config.hpp>

#include "runtime/exit_place.hpp"
#include "sys/calls.hpp"
#include "sys/thread.hpp"

#include <system_error>
#include <utility>

namespace lastcall::detail {

stopper::stopper(bell& done) : done_{done} {
  const auto run = [](void* self) -> void* {
    static_cast<stopper*>(self)->serve();
    return nullptr;
  };
  if (const int error = sys::start_thread(thread_, run, this); error < 0)
    throw std::system_error{-error, std::generic_category(), "no thread can be had to run the stops on"};
}

stopper::~stopper() { end(patience); }

void stopper::end(duration within) noexcept {
  if (std::exchange(ended_, true)) return;
  done_.wait_until(deadline::never(), [this] { return idle(); });
  state_.store(state::ending, std::memory_order_release); // pairs with the acquire in serve
  orders_.ring();
  // Until it has left it is on its way there through code of ours, and needs nothing but the processor.
  for (; !sys::join(thread_, within.count()); within = patience)
    if (state_.load(std::memory_order_acquire) == state::left) // pairs with the release in serve
      return sys::detach(thread_);
}

void stopper::give(std::function<void()> job) noexcept {
  LASTCALL_ASSERT(idle(), "a stopper was given a job while another one runs on it");
  job_ = std::move(job);
  state_.store(state::busy, std::memory_order_release); // publishes job_; pairs with the acquire in serve
  orders_.ring();
}

void stopper::serve() noexcept {
  id_.store(sys::gettid(), std::memory_order_relaxed); // for reports
  stand_first_at_exit();                               // a job may exit
  for (;;) {
    auto now = state::idle;
    orders_.wait_until(deadline::never(), [&] {
      now = state_.load(std::memory_order_acquire); // pairs with the releases in give and ~stopper
      return now != state::idle;
    });
    if (now == state::ending) break;
    job_();
    state_.store(state::idle, std::memory_order_release); // publishes the job's work; pairs with idle()
    done_.ring();
  }
  leave_exit_to_others();
  state_.store(state::left, std::memory_order_release); // the last touch: the owner may be gone from here on
}

} // namespace lastcall::detail
