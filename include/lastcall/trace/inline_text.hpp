// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace lastcall {

/// A short text held in place: it never allocates and never throws, so it may be written on the stop
/// path. What does not fit is cut off. Use std::string where allocation is no concern.
template <std::size_t Capacity>
class inline_text {
public:
  constexpr inline_text() noexcept = default;
  constexpr inline_text(std::string_view text) noexcept : size_{std::min(text.size(), Capacity)} {
    std::copy_n(text.data(), size_, bytes_.data());
  }
  constexpr inline_text(const char* text) noexcept : inline_text{std::string_view{text}} {}

  constexpr std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  constexpr operator std::string_view() const noexcept { return view(); }
  constexpr bool empty() const noexcept { return size_ == 0; }

  friend constexpr bool operator==(const inline_text& a, std::string_view b) noexcept {
    return a.view() == b;
  }

private:
  std::size_t size_ = 0;
  std::array<char, Capacity> bytes_{};
};

} // namespace lastcall
