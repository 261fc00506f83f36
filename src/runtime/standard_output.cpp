// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/standard_output.hpp"

#include "sys/output.hpp"

#include <lastcall/interrupt/io/sleep.hpp>
#include <lastcall/wait/deadline.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <stop_token>

#include <stdio_ext.h>

// The aim: what the program printed is out before it ends, and nothing that is stuck keeps it from ending.
//
// `fflush(nullptr)` takes the lock of every stream, and so waits for ever for a thread that sits in
// `fgets(stdin)`. `fflush(stdout)` waits for ever for a thread that holds that lock in a write to a full
// pipe, and for the reader of that pipe when it is the one to write. So: only the two streams that programs
// print to, the lock by `ftrylockfile`, and no write before `poll` says that the descriptor takes one. stdio
// gives a pipe's stream a buffer of at most 4096 bytes, which is PIPE_BUF: a pipe that polls as writable
// takes as much without blocking. A program that made the buffer larger with setvbuf loses that bound, not
// its output.
//
// There is no way to wait for a stream's lock with a limit, so it is tried again each millisecond. That
// happens at the very end, only while another thread prints, and for `patience` at most.

namespace lastcall::detail {
namespace {

bool writable(int descriptor, deadline until) noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until.remaining()).count();
    const int result =
        sys::poll_writable(descriptor, static_cast<int>(std::min<decltype(left)>(left, 60'000)));
    if (result > 0) return true; // also for an error: the write then says which
    if (result == 0 && until.expired()) return false;
    if (result < 0 && result != -EINTR) return false;
  }
}

bool lock(std::FILE* stream, deadline until) noexcept {
  while (::ftrylockfile(stream) != 0) {
    if (until.expired()) return false;
    io::sleep_until(earlier(until, deadline::after(std::chrono::milliseconds{1})), std::stop_token{});
  }
  return true;
}

bool flush(std::FILE* stream, deadline until) noexcept {
  if (!lock(stream, until)) return false; // its holder may be in the middle of a write
  bool whole = ::ferror_unlocked(stream) == 0;
  if (::__fpending(stream) != 0) {
    if (!writable(::fileno_unlocked(stream), until) || ::fflush_unlocked(stream) != 0) whole = false;
  }
  ::funlockfile(stream);
  return whole;
}

} // namespace

bool flush_standard_streams(duration patience) noexcept {
  const auto until = deadline::after(patience);
  const bool out = flush(stdout, until);
  const bool err = flush(stderr, until);
  return out && err;
}

void tell_standard_error(std::string_view text, duration patience) noexcept {
  constexpr std::size_t pipe_buf = 4096;
  const auto until = deadline::after(patience);
  while (!text.empty() && writable(2, until)) {
    const auto written = sys::write(2, text.data(), std::min(text.size(), pipe_buf));
    if (written > 0)
      text.remove_prefix(static_cast<std::size_t>(written));
    else if (written != -EINTR && written != -EAGAIN)
      return;
  }
}

} // namespace lastcall::detail
