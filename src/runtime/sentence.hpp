// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/duration_text.hpp"

#include <lastcall/trace/inline_text.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace lastcall::detail {

/// A sentence for the timeline, put together in place: `sentence{"stopped in ", took}`.
///
/// What an application says while it stops it may have to say when there is no memory left. As long as an
/// event's detail; what does not fit is cut off.
class sentence {
public:
  template <class... Parts>
  explicit sentence(const Parts&... parts) noexcept {
    (add(parts), ...);
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  operator std::string_view() const noexcept { return {bytes_.data(), size_}; }

private:
  void add(std::string_view text) noexcept {
    size_ += text.copy(bytes_.data() + size_, bytes_.size() - size_);
  }
  void add(duration span) noexcept { add(duration_text(span).view()); }
  void add(std::integral auto number) noexcept {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    add(std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())});
  }

  std::array<char, 160> bytes_{};
  std::size_t size_ = 0;
};

} // namespace lastcall::detail
