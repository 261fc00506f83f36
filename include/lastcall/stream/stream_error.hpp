// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

namespace lastcall {

/// What a stream refuses, and why.
enum class stream_errc {
  reentered = 1, ///< this thread is inside a call of the same stream already: a handler, a callback, a sink
  closed,        ///< it was closed
  stuck          ///< last words have left a thread behind that is inside a write of the stream's
};

const std::error_category& stream_category() noexcept;
std::error_code make_error_code(stream_errc what) noexcept;

/// How a stream's calls fail: the text names the call and the stream, `accepted()` says how far it came.
///
///     write (access log): No space left on device
///
/// What the kernel said stays with the stream until `clear_error`: every later call says it again, and so
/// does the exit status. What was accepted before and could not be written is in `counts()`.
class stream_error : public std::system_error {
public:
  stream_error(std::error_code why, const std::string& what, std::size_t accepted)
      : std::system_error{why, what}, accepted_{accepted} {}
  /// How many bytes of this call's record the stream has taken: written, or to be written.
  std::size_t accepted() const noexcept { return accepted_; }

private:
  std::size_t accepted_;
};

/// What became of all bytes: accepted = written + buffered + lost.
struct stream_counts {
  std::uint64_t accepted = 0; ///< by calls of write
  std::uint64_t written = 0;  ///< taken by the descriptor
  std::uint64_t buffered = 0; ///< neither yet
  std::uint64_t lost = 0;     ///< given up, at a close or at the end
};

} // namespace lastcall

template <>
struct std::is_error_code_enum<lastcall::stream_errc> : std::true_type {};
