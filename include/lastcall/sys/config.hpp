// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

/// The library's macros, all of them.
///
/// LASTCALL_ASSERT(condition, sentence)
///   Misuse that no caller can sensibly handle: it is checked in release builds as well. When the
///   condition does not hold, the sentence (which names the likely cause) goes to stderr together
///   with file and line, and the process aborts. It never changes layout or behaviour otherwise.

namespace lastcall::sys {

/// Writes "lastcall: FILE:LINE: SENTENCE" to stderr and aborts. Async-signal-safe.
[[noreturn]] void assertion_failed(const char* sentence, const char* file, int line) noexcept;

} // namespace lastcall::sys

#define LASTCALL_ASSERT(condition, sentence)                                                                 \
  ((condition) ? static_cast<void>(0) : ::lastcall::sys::assertion_failed(sentence, __FILE__, __LINE__))
