// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/runtime.hpp>

#include "runtime/exit_hooks.hpp"
#include "runtime/runtime_core.hpp"

#include <utility>

namespace lastcall {

using detail::the_core;

runtime::runtime(runtime_options options) : generation_{the_core().open(std::move(options))} {}

// Nobody sees the report: who was left behind is seen in the exit status.
runtime::~runtime() {
  if (finalize().was_late()) detail::note_left_behind();
}

// These change what a runtime stands for, if not its bytes.
// NOLINTBEGIN(readability-make-member-function-const)

finalization_report runtime::finalize(deadline until) noexcept {
  return the_core().finalize(generation_, until);
}

finalization_report runtime::finalize() noexcept { return the_core().finalize(generation_); }

void runtime::hurry(deadline until) noexcept { the_core().hurry(until); }

stop_token runtime::token() const noexcept { return the_core().token(generation_); }

bool runtime::request_stop(reason why) noexcept { return the_core().request_stop(generation_, why); }

// NOLINTEND(readability-make-member-function-const)

bool runtime::live() noexcept { return the_core().phase() == detail::runtime_phase::running; }

} // namespace lastcall
