// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/stopper.hpp"

#include <lastcall/sys/config.hpp>

#include "sys/calls.hpp"

#include <system_error>
#include <utility>

namespace lastcall::detail {

stopper::stopper(bell& done) : done_{done} {
  try {
    thread_ = std::thread{[this] { serve(); }};
  } catch (const std::system_error& error) {
    throw std::system_error{error.code(), "no thread can be had to run the stops on"};
  }
}

stopper::~stopper() {
  done_.wait_until(deadline::never(), [this] { return idle(); });
  state_.store(state::ending, std::memory_order_release); // pairs with the acquire in serve
  orders_.ring();
  thread_.join();
}

void stopper::give(std::function<void()> job) noexcept {
  LASTCALL_ASSERT(idle(), "a stopper was given a job while another one runs on it");
  job_ = std::move(job);
  state_.store(state::busy, std::memory_order_release); // publishes job_; pairs with the acquire in serve
  orders_.ring();
}

void stopper::serve() noexcept {
  id_.store(sys::gettid(), std::memory_order_relaxed); // for reports
  for (;;) {
    auto now = state::idle;
    orders_.wait_until(deadline::never(), [&] {
      now = state_.load(std::memory_order_acquire); // pairs with the releases in give and ~stopper
      return now != state::idle;
    });
    if (now == state::ending) return;
    job_();
    state_.store(state::idle, std::memory_order_release); // publishes the job's work; pairs with idle()
    done_.ring();
  }
}

} // namespace lastcall::detail
