// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/context.hpp>

#include <utility>

namespace lastcall {

context::context(std::string name, std::stop_token token, deadline due)
    : name_{std::move(name)}, token_{std::move(token)}, due_{due.when()} {}

// Relaxed in both: the deadline is a number on its own and publishes nothing.
deadline context::due() const noexcept { return deadline::at(due_.load(std::memory_order_relaxed)); }
void context::due(deadline next) noexcept { due_.store(next.when(), std::memory_order_relaxed); }

void context::progress(std::string words) {
  const std::lock_guard hold{mutex_};
  progress_ = std::move(words);
}

std::string context::last_progress() const {
  const std::lock_guard hold{mutex_};
  return progress_;
}

} // namespace lastcall
