// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/finalization_report.hpp>

#include <functional>

namespace lastcall::detail {

/// A report and whom it is told. `on_report` is code of the program: it runs on a hand, which is left behind
/// with this when it does not return. A runtime has one from its beginning on, so that none has to be had at
/// its end.
struct told_report {
  std::function<void(const finalization_report&)> hook;
  finalization_report report;

  /// Calls the hook; what it throws is said on standard error.
  void call() const noexcept;
  /// Where there is no hook: unless all went well.
  static void to_standard_error(const finalization_report& report) noexcept;
};

} // namespace lastcall::detail
