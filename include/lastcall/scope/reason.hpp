// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/inline_text.hpp>
#include <lastcall/wait/clock.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include <signal.h>

namespace lastcall {

/// What made somebody ask the program to stop.
enum class cause : std::uint8_t {
  signal,       ///< a signal was delivered
  call,         ///< the program's own code asked
  parent_death, ///< the process that owned this one is gone
  deadline      ///< a time that was set has come
};

/// The cause as a word, for reports.
std::string_view name_of(cause what) noexcept;

/// Why a stop was asked for: who, how and when. A value of fixed size: copying it never allocates or
/// throws, so it can travel in exceptions and through the stop path.
struct reason {
  lastcall::cause cause = cause::call;
  int signal = 0;          ///< the signal's number, 0 when the cause is no signal
  pid_t sender_pid = 0;    ///< who sent it; 0 when the kernel did (a terminal's Ctrl-C) or nobody knows
  uid_t sender_uid = 0;    ///< the sender's user, where `sender_pid` is known
  std::uint64_t count = 1; ///< how many arrivals this stands for; above 1 when records ran out
  time_point when{};       ///< when it arrived, on the steady clock
  inline_text<96> text{};  ///< what the caller of `request_stop` said
};

/// One line for people: "SIGTERM from pid 812 (uid 0)", "call: parent pipe closed".
std::string describe(const reason& why);

/// "SIGINT", "SIGRTMIN+3", … of a signal's number, or "signal 99". Does not allocate.
inline_text<24> signal_name(int signal) noexcept;

} // namespace lastcall
