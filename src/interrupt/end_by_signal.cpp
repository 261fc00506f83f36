// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/end_by_signal.hpp>

#include "sys/calls.hpp"

#include <algorithm>
#include <array>

#include <signal.h>

namespace lastcall {

namespace {

// Signals whose default action does not end a process. SIGTSTP and its kin would stop it instead, and
// nobody might ever let it go on.
bool ends_by_default(int signal) noexcept {
  static constexpr std::array harmless{SIGCHLD, SIGCONT, SIGURG,  SIGWINCH,
                                       SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP};
  return std::find(harmless.begin(), harmless.end(), signal) == harmless.end();
}

} // namespace

void end_by_signal(int signal) noexcept {
  if (signal > 0 && ends_by_default(signal)) {
    struct ::sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigemptyset(&by_default.sa_mask);
    sys::sigaction(signal, &by_default, nullptr);
    // Raised first, unblocked second: whichever the order, the signal acts by the end of `unblock` at
    // the latest. Another thread that dies first is as good.
    sys::tgkill_self(signal);
    sys::unblock(signal);
  }
  // Still here: PID 1 of a namespace, for which default actions do not exist.
  sys::exit_now(128 + signal);
}

} // namespace lastcall
