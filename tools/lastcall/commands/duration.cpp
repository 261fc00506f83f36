// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/duration.hpp"

#include <charconv>
#include <cmath>

namespace checker {

std::optional<seconds> parse_duration(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value) || value <= 0) return std::nullopt;
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty() || unit == "s") return seconds(value);
  if (unit == "ms") return seconds(value / 1000);
  if (unit == "m" || unit == "min") return seconds(value * 60);
  if (unit == "h") return seconds(value * 3600);
  return std::nullopt;
}

} // namespace checker
