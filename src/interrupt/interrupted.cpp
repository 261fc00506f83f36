// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/interrupted.hpp>

#include <string>

namespace lastcall {

namespace {

class stop_errors final : public std::error_category {
public:
  const char* name() const noexcept override { return "lastcall"; }
  std::string message(int) const override { return "a request to stop is pending"; }
  std::error_condition default_error_condition(int) const noexcept override { return std::errc::interrupted; }
};

} // namespace

const std::error_category& stop_category() noexcept {
  // Never destroyed: an error_code may be looked at during static destruction.
  static const auto& category = *new stop_errors;
  return category;
}

std::error_code make_error_code(stop_errc what) noexcept { return {static_cast<int>(what), stop_category()}; }

} // namespace lastcall
