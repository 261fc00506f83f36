// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/use_task.hpp>

#include "task/loop_core.hpp"

namespace lastcall::detail {

asio::io_context& context_of(const activity& who) noexcept { return who.its_loop().io(); }

bool asio_wait::begin(std::coroutine_handle<> frame) noexcept {
  who_ = &activity::must_be_in_one();
  if (const auto* due = who_->due()) {
    cut_ = *due;
    return false;
  }
  who_->wait(frame, *this);
  return true;
}

/// All kinds at once: an operation goes by the one that it knows. Its handler is called all the same.
void asio_wait::abort() noexcept {
  cut_ = *who_->due();
  signal_.emit(asio::cancellation_type::all);
}

} // namespace lastcall::detail
