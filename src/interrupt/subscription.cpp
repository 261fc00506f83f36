// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/subscription.hpp>

#include "interrupt/listener.hpp"

namespace lastcall {

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this != &other) {
    reset();
    listener_ = std::move(other.listener_);
  }
  return *this;
}

subscription::~subscription() { reset(); }

bool subscription::reset(deadline until) noexcept {
  const auto gone = std::exchange(listener_, nullptr);
  return gone == nullptr || gone->end(until);
}

} // namespace lastcall
