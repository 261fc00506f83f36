// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/heartbeat.hpp"

#include "subject/cannot_check.hpp"

#include <csignal>
#include <sys/time.h>

namespace checker {
namespace {

extern "C" void on_beat(int /*signal*/) {} // its only purpose is EINTR

void set_timer(std::chrono::microseconds interval) {
  const timeval length{0, static_cast<suseconds_t>(interval.count())};
  const itimerval timer{length, length};
  if (::setitimer(ITIMER_REAL, &timer, nullptr) != 0) throw_cannot("set a timer");
}

} // namespace

heartbeat::heartbeat(std::chrono::microseconds interval) {
  struct sigaction action {};
  action.sa_handler = on_beat; // without SA_RESTART
  sigemptyset(&action.sa_mask);
  if (::sigaction(SIGALRM, &action, nullptr) != 0) throw_cannot("handle SIGALRM");
  set_timer(interval);
}

heartbeat::~heartbeat() {
  const itimerval off{};
  (void)::setitimer(ITIMER_REAL, &off, nullptr);
  (void)::signal(SIGALRM, SIG_IGN); // a last beat may be on its way
}

} // namespace checker
