// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

/// The library's macros, all of them.
///
/// LASTCALL_ASSERT(condition, sentence)
///   Misuse that no caller can sensibly handle: it is checked in release builds as well. When the
///   condition does not hold, the sentence (which names the likely cause) goes to stderr together
///   with file and line, and the process aborts. It never changes layout or behaviour otherwise.
///
/// LASTCALL_CONFIG_THREAD_SANITIZER
///   1 in builds for ThreadSanitizer, by GCC or Clang, and 0 in others. The library alone looks at it.
///
/// LASTCALL_CONFIG_CALL_SEQUENCE
///   1 where interruptible calls are made by the hand-written sequence (x86-64, arm64), 0 where they are made
///   by the fallback (other processors, and builds for ThreadSanitizer, which holds signal handlers back).
///   The library alone looks at it; build the whole library with 0 to have the fallback anywhere.

namespace lastcall::sys {

/// Writes "lastcall: FILE:LINE: SENTENCE" to stderr and aborts. Async-signal-safe.
[[noreturn]] void assertion_failed(const char* sentence, const char* file, int line) noexcept;

} // namespace lastcall::sys

#define LASTCALL_ASSERT(condition, sentence)                                                                 \
  ((condition) ? static_cast<void>(0) : ::lastcall::sys::assertion_failed(sentence, __FILE__, __LINE__))

#if defined(__SANITIZE_THREAD__)
#define LASTCALL_CONFIG_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LASTCALL_CONFIG_THREAD_SANITIZER 1
#endif
#endif
#if !defined(LASTCALL_CONFIG_THREAD_SANITIZER)
#define LASTCALL_CONFIG_THREAD_SANITIZER 0
#endif

#if !defined(LASTCALL_CONFIG_CALL_SEQUENCE)
#if !LASTCALL_CONFIG_THREAD_SANITIZER && !defined(__ILP32__) && (defined(__x86_64__) || defined(__aarch64__))
#define LASTCALL_CONFIG_CALL_SEQUENCE 1
#else
#define LASTCALL_CONFIG_CALL_SEQUENCE 0
#endif
#endif
