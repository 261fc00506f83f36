// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <stop_token>
#include <system_error>

namespace lastcall::io {

/// Sleeps until the deadline. Ends early by `interrupted` (owner only), and runs posted calls meanwhile.
/// No gap: the kernel compares this thread's word as it goes to sleep, so a request that comes between
/// the last look and the sleep ends it as well.
void sleep_until(deadline until);
void sleep_until(deadline until, std::error_code& error) noexcept;

/// Sleeps for `span`; a span that is not positive is a checkpoint.
void sleep_for(duration span);
void sleep_for(duration span, std::error_code& error) noexcept;

/// Sleeps until the deadline or until a stop is requested, on any thread; true when it slept to the
/// end. Neither delivers nor throws: the token is the only thing that cuts it short.
bool sleep_until(deadline until, std::stop_token stop) noexcept;
bool sleep_for(duration span, std::stop_token stop) noexcept;

/// Waits on the owner thread until a request is pending (also under a shield) or the deadline passes;
/// true when one is. Delivers nothing; runs posted calls unless shielded; ends with false when one of them
/// closes the scope. Elsewhere: misuse, aborts.
bool wait_for_request(deadline until) noexcept;

} // namespace lastcall::io
