// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/input_stream.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

#include "runtime/touch.hpp"
#include "wait/interruptible_call.hpp"
#include "wait/lock_around_waits.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lastcall::detail {

namespace {

thread_local constinit std::uint32_t id_before_fork = 0;

} // namespace

input_stream::input_stream(raw_fd fd, const stream_options& options)
    : buffer_{std::clamp(options.buffer, std::size_t{1}, std::size_t{1} << 30U)},
      name_{options.name},
      fd_{std::move(fd)} {
  enlist();
}

void input_stream::refuse(std::error_code* error, std::error_code why, const char* what) const {
  if (error == nullptr) throw stream_error{why, std::string{what} + " (" + name_ + ")", 0};
  *error = why;
}

// Steps under the lock, until one is over: it returns what a kernel call would. Cut, it is begun again once
// what cut it is delivered. False with an error.
template <class Step>
bool input_stream::run(Step step, const char* what, std::error_code* error) {
  if (error != nullptr) error->clear();
  sit_down();
  for (;;) {
    error == nullptr ? touch() : touch_noexcept();
    long result = 0;
    {
      wait::lock_set_aside aside;
      switch (lock_.lock(this_thread_id(), error)) {
      case lock_result::held: break;
      case lock_result::reentered: refuse(error, stream_errc::reentered, what); return false;
      default: return false;
      }
      bool closed = false;
      {
        const unlocked_after held{lock_};
        closed = closed_;
        if (!closed) result = step();
      }
      if (error == nullptr) aside.take_back();
      if (closed) {
        refuse(error, stream_errc::closed, what);
        return false;
      }
    }
    if (result >= 0) return true;
    if (result != wait::cancelled) {
      refuse(error, {static_cast<int>(-result), std::system_category()}, what);
      return false;
    }
    error == nullptr ? checkpoint() : checkpoint(*error);
    if (error != nullptr && *error) return false;
  }
}

std::size_t input_stream::read(void* into, std::size_t size, std::error_code* error) {
  std::size_t count = 0;
  run(
      [&]() -> long {
        if (size == 0) return 0;
        if (buffer_.size() == 0) {
          // As much as the buffer holds goes straight to where it is wanted.
          const long result =
              size >= buffer_.usual() ? read_some(fd_.number(), into, size) : buffer_.fill(fd_.number());
          if (result <= 0) return result;
          if (size >= buffer_.usual()) {
            count = static_cast<std::size_t>(result);
            return result;
          }
        }
        count = std::min(size, buffer_.size());
        std::memcpy(into, buffer_.data(), count);
        buffer_.consume(count);
        return 1;
      },
      "read", error);
  return count;
}

bool input_stream::read_until_slowly(char delimiter, std::string& into, std::error_code* error) {
  bool found = false;
  const bool well = run(
      [&]() -> long {
        for (;;) {
          if (const auto line = buffer_.find(delimiter); line.found) {
            into.assign(line.at, line.size); // may throw: then it is still there
            buffer_.consume(line.size + 1);
            found = true;
            return 1;
          }
          const long result = buffer_.fill(fd_.number());
          if (result < 0) return result;
          if (result != 0) continue;
          found = buffer_.size() != 0; // the last line, without its end
          if (!found) return 0;
          into.assign(buffer_.data(), buffer_.size());
          buffer_.clear();
          return 1;
        }
      },
      "read", error);
  return well && found;
}

void input_stream::close(std::error_code* error) {
  std::error_code on_close;
  const bool well = run(
      [&]() -> long {
        closed_ = true;
        buffer_.clear();
        fd_.close(on_close);
        return 0;
      },
      "close", error);
  if (well && on_close) refuse(error, on_close, "close");
}

bool input_stream::finish() noexcept {
  if (strike_off(round_of_a_destructor().until)) return true;
  std::error_code unheard;
  fd_.close(unheard); // nobody reads any more; there is nothing to say
  return false;
}

void input_stream::before_fork() noexcept { id_before_fork = this_thread_id(); }

void input_stream::begin_in_child() noexcept {
  known_thread_id = 0;
  const std::uint32_t me = this_thread_id();
  lock_.begin_in_child(id_before_fork, me);
  // What was read ahead is the parent's; somebody who was reading may have left it in the middle of a change.
  if (lock_.holder() != me) buffer_.clear();
}

} // namespace lastcall::detail
