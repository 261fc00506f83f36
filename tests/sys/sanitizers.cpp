// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What the sanitizers' runtimes ask a test's program for. In each one, where it is built with a sanitizer.
#include <filesystem>
#include <iterator>
#include <system_error>

#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)

namespace {

const pid_t first = ::getpid();

bool is_alone() {
  std::error_code failed;
  const std::filesystem::directory_iterator threads{"/proc/self/task", failed};
  return !failed && std::distance(begin(threads), end(threads)) == 1;
}

} // namespace

// LeakSanitizer's question, at the end of the process. Its search says something where this is the process
// that the test began in, with all its threads gone. A child that was forked has the memory of threads which
// it does not have, and what a thread that is left behind uses is kept for it on purpose. The search also
// stops all threads by ptrace(), which a storm of signals does not let it.
extern "C" int __lsan_is_turned_off() { return ::getpid() != first || !is_alone() ? 1 : 0; } // NOLINT

#elif defined(__SANITIZE_THREAD__)

// A daemon is a thread that nobody joins, and no leak. The second that it waits for late races at each end
// makes workers late that have to end in time: some milliseconds do.
extern "C" const char* __tsan_default_options() { // NOLINT
  return "report_thread_leaks=0:atexit_sleep_ms=20";
}

#endif
