// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/stop.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace lastcall {

struct stop_token::state {
  state() = default;
  explicit state(std::nostopstate_t none) noexcept : std{none} {}

  std::stop_source std;
  reason first;
  // 0: nobody asked; 1: somebody is writing `first`; 2: `first` may be read.
  std::atomic<std::uint32_t> published{0};
};

stop_token::stop_token(std::shared_ptr<const state> from) noexcept
    : state_{std::move(from)}, std_{state_->std.get_token()} {}

stop_token::stop_token(std::stop_token from, const reason& why) : std_{std::move(from)} {
  const auto known = std::make_shared<state>(std::nostopstate);
  known->first = why;
  known->published.store(2, std::memory_order_relaxed); // nobody else has it yet
  state_ = known;
}

std::optional<reason> stop_token::why() const noexcept {
  // A reason that was given beforehand says nothing before its time.
  if (!std_.stop_requested()) return std::nullopt;
  // Acquire pairs with the release in request_stop: whoever sees 2 sees the whole reason.
  if (state_ == nullptr || state_->published.load(std::memory_order_acquire) != 2) return std::nullopt;
  return state_->first;
}

stop_source::stop_source() : state_{std::make_shared<stop_token::state>()} {}

bool stop_source::request_stop(reason why) noexcept {
  std::uint32_t nobody = 0;
  // Relaxed: it only decides who writes; what is written is published below.
  if (!state_->published.compare_exchange_strong(nobody, 1, std::memory_order_relaxed)) return false;
  if (why.when == time_point{}) why.when = clock::now();
  state_->first = why;
  state_->published.store(2, std::memory_order_release); // pairs with the acquire in why()
  state_->std.request_stop();
  return true;
}

bool stop_source::stop_requested() const noexcept { return state_->std.stop_requested(); }

stop_token stop_source::token() const noexcept { return stop_token{state_}; }

} // namespace lastcall
