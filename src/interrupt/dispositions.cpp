// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/dispositions.hpp"

#include "sys/calls.hpp"

#include <algorithm>
#include <array>

namespace lastcall::detail {

namespace {

// Written before our handler is installed, read after it may have run: the kernel's installation is what
// lies between the two.
constinit std::array<struct ::sigaction, signal_limit> found{};

struct ::sigaction& found_of(int signal) noexcept {
  return found[static_cast<std::size_t>(signal)];
}

bool is_ours(const struct ::sigaction& what) noexcept {
  return (what.sa_flags & SA_SIGINFO) != 0 && what.sa_sigaction == &on_signal;
}

bool same_action(const struct ::sigaction& a, const struct ::sigaction& b) noexcept {
  return a.sa_handler == b.sa_handler && (a.sa_flags & SA_SIGINFO) == (b.sa_flags & SA_SIGINFO);
}

} // namespace

bool can_be_handled(int signal) noexcept {
  static constexpr std::array refused{SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
                                      SIGILL,  SIGTRAP, SIGABRT, SIGSYS};
  if (signal < 1 || signal > SIGRTMAX || (signal >= 32 && signal < SIGRTMIN)) return false;
  return std::find(refused.begin(), refused.end(), signal) == refused.end();
}

int install(int signal, const sigset_t& together, bool keep_ignored, bool& installed) noexcept {
  installed = false;
  struct ::sigaction before {};
  if (const int error = sys::sigaction(signal, nullptr, &before); error < 0) return error;
  if (keep_ignored && (before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_IGN) return 0;
  // Ours already in place is what a refused give_back left: what it found then still counts.
  if (!is_ours(before)) found_of(signal) = before;
  struct ::sigaction ours {};
  ours.sa_sigaction = &on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ours.sa_mask = together;
  if (const int error = sys::sigaction(signal, &ours, nullptr); error < 0) return error;
  installed = true;
  return 0;
}

void give_back(int signal) noexcept {
  for (int tries = 0; tries < 2; ++tries) {
    struct ::sigaction now {};
    if (sys::sigaction(signal, nullptr, &now) < 0) continue;
    if (!is_ours(now) || sys::sigaction(signal, &found_of(signal), nullptr) >= 0) return;
  }
}

void hand_back(int signal, const siginfo_t& info) noexcept {
  give_back(signal);
  struct ::sigaction now {};
  if (sys::sigaction(signal, nullptr, &now) < 0 || !same_action(now, found_of(signal))) return;
  // Refused, it comes again without its siginfo.
  if (sys::requeue_to_self(signal, info) < 0) sys::tgkill_self(signal);
}

} // namespace lastcall::detail
