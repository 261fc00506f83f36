// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/option_check.hpp"

#include "interrupt/dispositions.hpp"
#include "sys/alternate_stack.hpp"
#include "wait/nudge_signal.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

namespace lastcall::detail {

namespace {

constexpr std::size_t most_kept = 1'000'000;
constexpr std::chrono::milliseconds longest_window = std::chrono::hours{24};

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument{"signal_scope: " + what}; }

signal_bits bits_of(const std::vector<int>& signals, const char* option) {
  signal_bits bits = 0;
  for (const int signal : signals) {
    if (const char* why = why_unhandled(signal))
      refuse(std::string{signal_name(signal)} + " (" + std::to_string(signal) + ") in `" + option +
             "` cannot be handled: " + why);
    if (signal == wait::nudge_signal())
      refuse(
          std::string{signal_name(signal)} + " (" + std::to_string(signal) + ") in `" + option +
          "` is in use by the library, which wakes waiting threads with it; take another real-time signal");
    bits |= bit_of(signal);
  }
  return bits;
}

template <class Enum>
void check_enum(Enum value, Enum last, const char* option) {
  if (value < Enum{} || value > last)
    refuse(std::string{"`"} + option + "` is " + std::to_string(static_cast<int>(value)) +
           ", which is none of its values");
}

} // namespace

wanted_signals check(const signal_options& options) {
  const wanted_signals wanted{bits_of(options.signals, "signals"), bits_of(options.listen, "listen")};
  for (int signal = 1; signal < signal_limit; ++signal)
    if ((wanted.stopping & wanted.listening & bit_of(signal)) != 0)
      refuse(std::string{signal_name(signal)} + " is named in `signals` and in `listen`");
  check_enum(options.ladder, ladder_policy::eager, "ladder");
  check_enum(options.ignored, inherited_ignore::take, "ignored");
  check_enum(options.found, found_handler::replace, "found");
  check_enum(options.leftover, leftover_calls::run, "leftover");
  if (options.coalesce < std::chrono::milliseconds::zero() || options.coalesce > longest_window)
    refuse("`coalesce` is " + std::to_string(options.coalesce.count()) + " ms; it may be from 0 to 24 hours");
  if (options.keep < 1 || options.keep > most_kept)
    refuse("`keep` is " + std::to_string(options.keep) + "; it may be from 1 to " +
           std::to_string(most_kept));
  if (options.nudge_signal != 0) {
    if (!wait::can_be_nudge_signal(options.nudge_signal))
      refuse("`nudge_signal` is " + std::to_string(options.nudge_signal) + ", which is no real-time signal");
    if (((wanted.stopping | wanted.listening) & bit_of(options.nudge_signal)) != 0)
      refuse(std::string{signal_name(options.nudge_signal)} +
             " is `nudge_signal` and named in another option");
  }
  return wanted;
}

void check_alternate_stack() {
  const std::size_t size = sys::alternate_stack_size();
  const std::size_t needed = sys::signal_frame_size() + handler_stack;
  if (size != 0 && size < needed)
    throw std::runtime_error{"signal_scope: this thread's alternate signal stack has " +
                             std::to_string(size) + " bytes, and a handler needs " + std::to_string(needed) +
                             " here; make it SIGSTKSZ, or take it away (sigaltstack)"};
}

} // namespace lastcall::detail
