// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Every test of this module starts from default dispositions and an empty mask, also when the suite is
/// run in the background, under nohup or by a runner that ignores SIGINT.

#include <csignal>
#include <initializer_list>

#include <signal.h>

namespace {

[[maybe_unused]] const bool plain = [] {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  return true;
}();

} // namespace
