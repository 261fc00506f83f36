// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>

namespace checker {

/// "INT" for SIGINT, "RTMIN+3" for a realtime signal, the number for one without a name.
[[nodiscard]] std::string signal_name(int signal);

/// True for the signals with which a program that goes wrong ends: SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE,
/// SIGTRAP, SIGSYS.
[[nodiscard]] bool is_crash(int signal) noexcept;

} // namespace checker
