// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/wait/deadline.hpp>
#include <lastcall/wait/futex.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <system_error>

struct pollfd;

/// Waiting for others, up to a deadline. See io.hpp for the forms, and for what they have in common.
namespace lastcall::io {

/// poll(2): how many of `watched` are ready; 0 when the deadline has passed. A deadline that has passed
/// already asks once without waiting.
std::size_t poll(std::span<::pollfd> watched, deadline until);
std::size_t poll(std::span<::pollfd> watched, deadline until, std::error_code& error) noexcept;
std::optional<std::size_t> poll(std::span<::pollfd> watched, deadline until, const std::stop_token& stop);
std::size_t poll(std::span<::pollfd> watched, deadline until, const std::stop_token& stop,
                 std::error_code& error) noexcept;

/// Sleeps while `word == expected`, until somebody wakes it (wait::futex_wake_one, _all) or the deadline
/// passes: for locks and queues whose waiting a request shall end. May return `woken` for no reason at all,
/// but not because of a handler. With an error it returns `woken`. Ordering: none of its own; load the word
/// with the ordering you need.
wait::futex_result futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, deadline until);
wait::futex_result futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, deadline until,
                              std::error_code& error) noexcept;
std::optional<wait::futex_result> futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                                             deadline until, const std::stop_token& stop);
wait::futex_result futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, deadline until,
                              const std::stop_token& stop, std::error_code& error) noexcept;

} // namespace lastcall::io
