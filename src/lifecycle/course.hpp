// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "lifecycle/assembly.hpp"
#include "lifecycle/slow_watch.hpp"
#include "lifecycle/turn.hpp"
#include "runtime/bell.hpp"
#include "runtime/crew.hpp"
#include "runtime/sentence.hpp"

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/lifecycle/main_function.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lastcall::detail {

/// What lies between the starts and the stops: a function, or a wait, with or without an end.
struct middle {
  any_main fn{};
  std::optional<duration> lasting{};
};

/// One run of an application, from the first start to the exit status:
///
///     start → (all started, nothing asked) serve → stop → finish
///
/// Everything that may fail for want of something (threads, descriptors, memory for the turns) is had in the
/// constructor, before the first start. From there on nothing is thrown, and where memory runs out the report
/// gets shorter, not the stop.
class course {
public:
  /// Throws `std::logic_error` for a circle, `std::system_error` where the system refuses a thread or
  /// descriptor.
  explicit course(assembly& of);

  /// Returns the exit status. Does not return where something was left behind.
  int run(const middle& between) noexcept;

private:
  void start() noexcept;
  void serve(const middle& between) noexcept;
  void stop() noexcept;
  int finish() noexcept;
  void finalize() noexcept;
  void hand_over() noexcept;
  void hear_the_herald() noexcept;
  void climbed(ladder_step to) noexcept;

  void say(std::string_view what) noexcept { it_.events.record(event_kind::phase, it_.name, what); }
  [[nodiscard]] std::string cause() const noexcept;
  void note_failure(std::string_view whose, std::string_view what) noexcept;
  [[nodiscard]] outcome measured() const noexcept;

  enum class stage : std::uint8_t { starting, serving, stopping };

  assembly& it_;
  const std::vector<std::size_t> sorted_;
  std::list<turn> turns_; ///< in the order of starting
  bell changed_;
  std::atomic<stage> stage_{stage::starting}; ///< for the herald's words alone
  std::optional<runtime> runtime_;            ///< unless the program has one already
  slow_watch watch_;
  crew hands_;
  signal_scope signals_;
  stop_token asked_;
  subscription climbing_;
  started_turns started_;
  duration left_{};     ///< of the budget, once all are stopped
  sentence ended_;      ///< why it stopped, where nobody asked
  bool failed_ = false; ///< a start or the main function did
  int returned_ = 0;
};

} // namespace lastcall::detail
