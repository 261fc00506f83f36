// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/runtime_options.hpp>

#include <chrono>
#include <cstdlib>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace runtime_test {

/// A runtime whose reports go nowhere.
inline lastcall::runtime_options quiet() {
  lastcall::runtime_options options;
  options.on_report = [](const lastcall::finalization_report&) {};
  return options;
}

/// … and whose daemons get the time to end that a loaded machine takes for it.
inline lastcall::runtime_options patient() {
  auto options = quiet();
  options.daemon_grace = std::chrono::seconds{20};
  return options;
}

/// The code that `fn` throws as std::system_error; none when it throws nothing.
template <class Fn>
std::error_code code_of(Fn fn) {
  try {
    fn();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

/// What a child process ends with in which `fn` runs and then `_exit`s with what it returns: its status, or
/// 128 plus the signal that ended it.
template <class Fn>
int exit_status_of(Fn fn) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(fn());
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The same, but the child returns from main, as it were.
template <class Fn>
int status_after_exit_of(Fn fn) {
  return exit_status_of([&fn]() -> int { std::exit(fn()); });
}

} // namespace runtime_test
