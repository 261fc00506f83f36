// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/finalizer.hpp>

#include "runtime/callback_list.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/touch.hpp"

namespace lastcall {

using detail::the_core;

finalizer::finalizer(std::function<void()> fn) {
  detail::touch();
  the_core().want_hand();
  of_ = std::make_shared<detail::callback>(std::move(fn));
  the_core().finalizers().add(of_);
}

finalizer::~finalizer() = default;
finalizer::finalizer(finalizer&&) noexcept = default;
finalizer& finalizer::operator=(finalizer&&) noexcept = default;

bool finalizer::operator()() {
  if (of_ == nullptr) return false;
  const auto fn = the_core().finalizers().take(*of_);
  if (!fn) return false;
  fn();
  return true;
}

bool finalizer::detach() noexcept {
  return of_ != nullptr && static_cast<bool>(the_core().finalizers().take(*of_));
}

bool finalizer::waits() const noexcept { return of_ != nullptr && the_core().finalizers().waits(*of_); }

} // namespace lastcall
