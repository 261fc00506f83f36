// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <stop_token>
#include <string_view>

/// For code that runs in a worker.
namespace lastcall::this_worker {

/// Whether this process is a worker of a pool.
bool running() noexcept;
/// Which of its pool's, from 0; a replacement has the number of the one it replaces. -1 outside of workers.
int index() noexcept;
/// Fires when the pool stops or its process has ended, while a call is under way: for methods that take long.
/// On a thread of its own, made at the first call of this. Throws std::system_error where there is no thread.
std::stop_token stop_token();
/// A record for the pool's log_writer, if it has one. False when it could not be handed over; then it is
/// lost.
bool log(std::string_view record) noexcept;

} // namespace lastcall::this_worker
