// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/file_stream.hpp"

#include "stream/output_run.hpp"
#include "wait/interruptible_call.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lastcall::detail {

namespace {

raw_fd with_a_position(raw_fd fd, const stream_options& options) {
  if (const std::int64_t at = sys::seek(fd.number(), 0, sys::seek_from::here); at < 0)
    throw stream_error{{static_cast<int>(-at), std::system_category()}, "seek (" + options.name + ")", 0};
  return fd;
}

} // namespace

// Once it is enlisted nothing may fail.
file_stream::file_stream(raw_fd fd, const stream_options& options)
    : output_stream{with_a_position(std::move(fd), options), options},
      ahead_{std::clamp(options.buffer, std::size_t{1}, std::size_t{1} << 30U)} {}

void file_stream::mark(write_core& core) const noexcept {
  if (ahead_.size() != 0)
    core.mode.fetch_or(has_read_ahead, std::memory_order_relaxed);
  else
    core.mode.fetch_and(~std::uint32_t{has_read_ahead}, std::memory_order_relaxed);
}

output_stream::result file_stream::look_back(write_core& core) noexcept {
  if (other_is_held(core)) return result::stuck;
  const std::int64_t at = sys::seek(fd(), -static_cast<std::int64_t>(ahead_.size()), sys::seek_from::here);
  if (at < 0) return fail(core, static_cast<long>(at));
  ahead_.clear();
  mark(core);
  return result::done;
}

// A step that returns what a kernel call would, after what is buffered was written. False with an error.
template <class Step>
bool file_stream::run_reading(Step step, const char* what, std::error_code* error) {
  long outcome = 0;
  const result how = run(
      [&](write_core& core) {
        if (other_is_held(core)) return result::stuck;
        if (const result flushed = drain(core); flushed != result::done) return flushed;
        outcome = step(core);
        mark(core);
        return outcome == wait::cancelled ? result::cut : result::done;
      },
      error);
  if (how != result::done) {
    refuse(error, how, what);
    return false;
  }
  if (outcome >= 0) return true;
  refuse(error, std::error_code{static_cast<int>(-outcome), std::system_category()}, what);
  return false;
}

std::size_t file_stream::read(void* into, std::size_t size, std::error_code* error) {
  std::size_t count = 0;
  run_reading(
      [&](write_core&) -> long {
        if (size == 0) return 0;
        if (ahead_.size() == 0)
          if (const long result = ahead_.fill(fd()); result <= 0) return result;
        count = std::min(size, ahead_.size());
        std::memcpy(into, ahead_.data(), count);
        ahead_.consume(count);
        return 1;
      },
      "read", error);
  return count;
}

bool file_stream::read_until(char delimiter, std::string& into, std::error_code* error) {
  bool found = false;
  const bool well = run_reading(
      [&](write_core&) -> long {
        for (;;) {
          const auto line = ahead_.find(delimiter);
          const long result = line.found ? 1 : ahead_.fill(fd());
          if (result < 0) return result;
          if (!line.found && result != 0) continue;
          const std::size_t size = line.found ? line.size : ahead_.size(); // the last one without its end
          found = line.found || size != 0;
          if (!found) return 0;
          try {
            into.assign(ahead_.data(), size);
          } catch (...) { // it is still to be read
            found = false;
            return -ENOMEM;
          }
          ahead_.consume(line.found ? size + 1 : size);
          return 1;
        }
      },
      "read", error);
  return well && found;
}

std::uint64_t file_stream::seek(std::int64_t offset, sys::seek_from from, std::error_code* error) {
  std::int64_t at = 0;
  run_reading(
      [&](write_core&) -> long {
        const auto unread = static_cast<std::int64_t>(ahead_.size());
        at = sys::seek(fd(), from == sys::seek_from::here ? offset - unread : offset, from);
        if (at < 0) return static_cast<long>(at);
        ahead_.clear();
        return 0;
      },
      "seek", error);
  return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

std::uint64_t file_stream::tell(std::error_code* error) {
  std::int64_t at = 0;
  const result how = run(
      [&](write_core& core) noexcept {
        if (other_is_held(core)) return result::stuck;
        at = sys::seek(fd(), 0, sys::seek_from::here);
        if (at >= 0)
          at += static_cast<std::int64_t>(core.committed() - core.flushed()) -
                static_cast<std::int64_t>(ahead_.size());
        return result::done;
      },
      error);
  if (how != result::done)
    refuse(error, how, "tell");
  else if (at < 0)
    refuse(error, std::error_code{static_cast<int>(-at), std::system_category()}, "tell");
  return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

void file_stream::begin_in_child() noexcept {
  output_stream::begin_in_child();
  ahead_.clear();
}

} // namespace lastcall::detail
