// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_end.hpp>
#include <lastcall/wait/deadline.hpp>

#include <optional>

namespace lastcall::detail {

/// How the child has ended, reaping it; none while it runs. Survives that somebody else has reaped it.
std::optional<process_end> reaped(pid_t child, int pidfd) noexcept;

/// Waits until the process of `pidfd` has ended or the deadline has passed; whoever reaps it. Not ended by a
/// request.
bool ended_within(int pidfd, deadline until) noexcept;

} // namespace lastcall::detail
