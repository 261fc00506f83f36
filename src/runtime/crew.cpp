// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/crew.hpp"

#include "runtime/failure_text.hpp"

namespace lastcall::detail {

stopper* crew::on_duty() noexcept {
  if (!active_ && shortage_.empty()) {
    try {
      active_ = std::make_unique<stopper>(done_);
    } catch (...) {
      shortage_ = failure_text();
    }
  }
  return active_.get();
}

void crew::settle(duration patience) noexcept {
  if (active_ && !done_.wait_until(deadline::after(patience), [this] { return active_->idle(); }))
    leave_behind();
}

void crew::end(duration patience) noexcept {
  if (active_) active_->end(patience);
}

void crew::leave_behind() noexcept {
  static_cast<void>(active_.release()); // its thread still uses it
  ++lost_;
}

} // namespace lastcall::detail
