// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/sys/config.hpp>
#include <lastcall/wait/clock.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include <signal.h>

namespace lastcall {

/// One step towards a process's end: what is done, and how long it is waited for afterwards.
struct stop_step {
  enum class kind : std::uint8_t {
    ask,   ///< by whatever way was agreed: a function, a message, an input that ends
    signal ///< to the process
  };
  kind what = kind::ask;
  int signal = 0; ///< of `kind::signal`
  duration wait{};

  static constexpr stop_step ask(duration wait) noexcept { return {kind::ask, 0, wait}; }
  static constexpr stop_step send(int signal, duration wait) noexcept { return {kind::signal, signal, wait}; }
  static constexpr stop_step term(duration wait) noexcept { return send(SIGTERM, wait); }
  static constexpr stop_step kill(duration wait) noexcept { return send(SIGKILL, wait); }
};

/// How a process is brought to its end, as data: up to six steps, one after the other, until it has ended.
///
///     constexpr lastcall::stop_plan gently{stop_step::ask(5s), stop_step::term(2s), stop_step::kill(1s)};
///
/// Where less time is left than the steps take together, each gets its share of what there is: a plan is
/// never cut off before its last step. After each step that did not help, whoever runs it is told
/// (`on_late`).
class stop_plan {
public:
  static constexpr std::size_t most_steps = 6;

  /// TERM, one second; KILL, one second.
  constexpr stop_plan() noexcept
      : stop_plan{stop_step::term(std::chrono::seconds{1}), stop_step::kill(std::chrono::seconds{1})} {}
  constexpr stop_plan(std::initializer_list<stop_step> steps) : count_{steps.size()} {
    LASTCALL_ASSERT(steps.size() <= most_steps, "a stop plan has at most six steps");
    std::copy(steps.begin(), steps.end(), steps_.begin());
  }

  constexpr std::span<const stop_step> steps() const noexcept { return {steps_.data(), count_}; }
  /// What all its steps take together.
  constexpr duration whole() const noexcept {
    duration sum{};
    for (const stop_step& each : steps()) sum += each.wait;
    return sum;
  }
  /// The wait of the step, when `left` is there for all of them.
  constexpr duration share(std::size_t step, duration left) const noexcept {
    const duration wait = steps_[step].wait, all = whole();
    if (all <= left || all.count() == 0) return wait;
    return duration{
        static_cast<duration::rep>(static_cast<double>(wait.count()) *
                                   (static_cast<double>(left.count()) / static_cast<double>(all.count())))};
  }

private:
  std::array<stop_step, most_steps> steps_{};
  std::size_t count_ = 0;
};

} // namespace lastcall
