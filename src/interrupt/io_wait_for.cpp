// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io/wait_for.hpp>

#include "interrupt/blocking_call.hpp"
#include "sys/call_number.hpp"

#include <cerrno>

namespace lastcall::io {

namespace number = sys::number;
using detail::as;
using detail::as_owner;
using detail::blocking_call;
using detail::make_call;
using detail::timeout_kind;
using detail::until_stopped;
using std::error_code;
using std::size_t;
using std::stop_token;
using wait::futex_result;
using futex_word = std::atomic<std::uint32_t>;
using descriptors = std::span<::pollfd>;

namespace {

blocking_call poll_call(descriptors watched, deadline& until) noexcept {
  auto call = make_call("poll", number::ppoll, watched.data(), watched.size(), nullptr, nullptr, 0);
  call.until = &until;
  call.timeout = timeout_kind::span;
  call.timeout_at = 2;
  return call;
}

blocking_call futex_call(const futex_word& word, std::uint32_t expected, deadline& until) noexcept {
  auto call = make_call("futex", number::futex, &word, number::futex_wait_until, expected, nullptr, nullptr,
                        number::futex_any_waker);
  call.until = &until;
  call.timeout = timeout_kind::monotonic_moment;
  call.timeout_at = 3;
  call.also_over = {EAGAIN, ETIMEDOUT};
  return call;
}

// Not 0 only where the word had changed or the time is up.
futex_result outcome(long result) noexcept {
  return result == -ETIMEDOUT ? futex_result::timed_out : futex_result::woken;
}

} // namespace

size_t poll(descriptors watched, deadline until) { return as<size_t>(as_owner(poll_call(watched, until))); }
size_t poll(descriptors watched, deadline until, error_code& error) noexcept {
  return as<size_t>(as_owner(poll_call(watched, until), error));
}
std::optional<size_t> poll(descriptors watched, deadline until, const stop_token& stop) {
  return as<size_t>(until_stopped(poll_call(watched, until), stop));
}
size_t poll(descriptors watched, deadline until, const stop_token& stop, error_code& error) noexcept {
  return as<size_t>(until_stopped(poll_call(watched, until), stop, error));
}

futex_result futex_wait(const futex_word& word, std::uint32_t expected, deadline until) {
  return outcome(as_owner(futex_call(word, expected, until)));
}
futex_result futex_wait(const futex_word& word, std::uint32_t expected, deadline until,
                        error_code& error) noexcept {
  return outcome(as_owner(futex_call(word, expected, until), error));
}
std::optional<futex_result> futex_wait(const futex_word& word, std::uint32_t expected, deadline until,
                                       const stop_token& stop) {
  const auto result = until_stopped(futex_call(word, expected, until), stop);
  return result ? std::optional{outcome(*result)} : std::nullopt;
}
futex_result futex_wait(const futex_word& word, std::uint32_t expected, deadline until,
                        const stop_token& stop, error_code& error) noexcept {
  return outcome(until_stopped(futex_call(word, expected, until), stop, error));
}

} // namespace lastcall::io
