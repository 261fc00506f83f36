// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/told_report.hpp"

#include "runtime/failure_text.hpp"
#include "runtime/standard_output.hpp"

#include <lastcall/wait/clock.hpp>

#include <chrono>

namespace lastcall::detail {

namespace {

constexpr duration patience = std::chrono::seconds{1};

void say_that_it_failed() noexcept {
  tell_standard_error("lastcall: the report of a finalization could not be made: ", patience);
  tell_standard_error(failure_text(), patience);
  tell_standard_error("\n", patience);
}

} // namespace

void told_report::call() const noexcept {
  try {
    hook(report);
  } catch (...) {
    say_that_it_failed();
  }
}

void told_report::to_standard_error(const finalization_report& report) noexcept {
  try {
    if (!report.clean()) tell_standard_error(describe(report), patience);
  } catch (...) {
    say_that_it_failed();
  }
}

} // namespace lastcall::detail
