// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/assembly.hpp"

#include <stdexcept>
#include <utility>

namespace lastcall::detail {
namespace {

void require_not_negative(duration span, const char* what) {
  if (span < duration::zero())
    throw std::logic_error(std::string{"application_options::"} + what +
                           " is negative; a time that is none is 0");
}

application_options checked(application_options options) {
  require_not_negative(options.grace, "grace");
  require_not_negative(options.hurry, "hurry");
  require_not_negative(options.slow_start, "slow_start");
  require_not_negative(options.last_moment, "last_moment");
  require_valid(options.statuses);
  return options;
}

} // namespace

assembly::assembly(std::string its_name, application_options its_options)
    : name{std::move(its_name)}, options{checked(std::move(its_options))} {
  last.application = name;
  if (options.log) sink_ = events.add_sink(options.log);
}

assembly::~assembly() {
  try {
    const auto sorted = graph.sorted();
    for (auto next = sorted.rbegin(); next != sorted.rend(); ++next) parts[*next].object.reset();
  } catch (...) {
    // A circle: nothing was ever started, so any order will do. The same where there is no memory for the
    // list. But it is here that they go, while there is all that they may still use.
    for (auto next = parts.rbegin(); next != parts.rend(); ++next) next->object.reset();
  }
}

void assembly::stop(std::string_view why) noexcept {
  const std::lock_guard hold{mutex_};
  if (signals_ != nullptr)
    signals_->request_stop(why);
  else if (now.load(std::memory_order_relaxed) != state::over && !asked_)
    asked_.emplace(why);
}

void assembly::connect(signal_scope& signals) noexcept {
  const std::lock_guard hold{mutex_};
  signals_ = &signals;
  if (asked_) signals.request_stop(*asked_);
}

void assembly::disconnect() noexcept {
  const std::lock_guard hold{mutex_};
  signals_ = nullptr;
}

} // namespace lastcall::detail
