// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/duration_text.hpp"

#include <array>
#include <cstdio>

namespace lastcall::detail {

inline_text<32> duration_text(duration span) noexcept {
  using namespace std::chrono;
  const double ms = std::chrono::duration<double, std::milli>(span).count();
  const auto whole = static_cast<long long>(duration_cast<seconds>(span).count());
  std::array<char, 32> text{};
  if (ms < 10)
    std::snprintf(text.data(), text.size(), "%.1f ms", ms);
  else if (ms < 999.5)
    std::snprintf(text.data(), text.size(), "%.0f ms", ms);
  else if (ms < 59'995)
    std::snprintf(text.data(), text.size(), "%.2f s", ms / 1000);
  else
    std::snprintf(text.data(), text.size(), "%lld min %lld s", whole / 60, whole % 60);
  return text.data();
}

} // namespace lastcall::detail
