// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>

#include <stop_token>
#include <system_error>

#include <signal.h>

/// Waiting for children. See io.hpp for the forms, and for what they have in common.
namespace lastcall::io {

/// waitid(2): P_PID, P_PGID, P_PIDFD or P_ALL, and WEXITED and its like. A child that was reaped is told in
/// `what`. With WNOHANG and nothing to tell, `what.si_pid` is 0.
void waitid(int which, unsigned id, siginfo_t& what, int options);
void waitid(int which, unsigned id, siginfo_t& what, int options, std::error_code& error) noexcept;
bool waitid(int which, unsigned id, siginfo_t& what, int options, const std::stop_token& stop);
void waitid(int which, unsigned id, siginfo_t& what, int options, const std::stop_token& stop,
            std::error_code& error) noexcept;

} // namespace lastcall::io
