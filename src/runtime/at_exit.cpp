// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/at_exit.hpp>

#include "runtime/callback_list.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/touch.hpp"

#include <utility>

namespace lastcall {

using detail::the_core;

registration::registration(std::shared_ptr<detail::callback> of) noexcept : of_{std::move(of)} {}
registration::~registration() = default;
registration::registration(registration&&) noexcept = default;
registration& registration::operator=(registration&&) noexcept = default;

bool registration::cancel() noexcept {
  return of_ != nullptr && static_cast<bool>(the_core().at_exit().take(*of_));
}

bool registration::waits() const noexcept { return of_ != nullptr && the_core().at_exit().waits(*of_); }

registration at_exit(std::function<void()> fn) {
  detail::touch();
  the_core().want_hand();
  auto one = std::make_shared<detail::callback>(std::move(fn));
  the_core().at_exit().add(one);
  return registration{std::move(one)};
}

} // namespace lastcall
