// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/budget.hpp"

#include <algorithm>

namespace lastcall::detail {
namespace {

duration slice_of(duration whole, std::size_t stops) noexcept {
  return whole / 4 / static_cast<duration::rep>(std::max<std::size_t>(stops, 1));
}

} // namespace

budget::budget(duration whole, std::size_t stops) noexcept
    : end_{deadline::after(whole)}, slice_{slice_of(whole, stops)} {}

deadline budget::share(std::size_t after, std::optional<duration> own) const noexcept {
  if (own) return earlier(end_, deadline::after(*own));
  if (end_.is_never()) return end_;
  return deadline::at(end_.when() - slice_ * static_cast<duration::rep>(after));
}

void budget::cut(duration span, std::size_t after) noexcept {
  end_ = earlier(end_, deadline::after(span));
  slice_ = std::min(slice_, slice_of(span, after + 1));
}

} // namespace lastcall::detail
