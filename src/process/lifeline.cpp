// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// No orphans.
//
// Aim: a worker ends when its manager's process does, whatever ended that, at every moment, and whatever the
// worker is doing.
//
// What the kernel offers, and what each lacks:
//
// * The end of a file on a socket that only the manager holds. Seen by whoever reads; a worker that computes
// does
//   not. Not seen by a stopped one. And a child that the manager forks and forgets holds the socket as well.
// * A pidfd of the manager, readable when its last thread has ended. Whoever holds copies of what does not
// matter.
//   It cannot be had of a process that has gone already.
// * The parent-death signal. It comes when the *thread* ends that forked, which may be long before its
// process; it
//   is forgotten by an exec of a set-uid program; it is kept for the thread that asked for it. But it reaches
//   a process that is stopped, and SIGKILL needs nobody's help.
//
// So:
//
// 1. From the first instruction on, the parent-death signal is SIGKILL, asked for by the main thread, with a
// look
//    at the parent's number for a parent that ended before. There is nothing yet that could be lost. The
//    parent is the zygote, which ends with the manager, or the manager.
// 2. This thread begins. It waits for both the end of the file and the pidfd, and blocks all signals.
// 3. From then on the parent-death signal is SIGCONT. A stopped worker goes on, and this thread sees what has
// happened;
//    one that runs notices nothing, so it does no harm that it may come because some thread has ended. It is
//    asked for by this thread, which lives to the end, and the main thread takes its own back.
// 4. When the manager has gone, the worker may end by itself for as long as the grace. Then this thread kills
// it.
//
// What is left: a worker that is stopped again within the grace, by somebody else, stays stopped. One asleep
// in the kernel where no signal reaches ends when it wakes up. Without pidfds (Linux before 5.3) a forked
// child of the manager that holds the socket keeps workers waiting for its end; then there is the
// parent-death signal, which alone ends nothing. A worker's own children that make a session of their own are
// theirs to end: see docs/processes.md.
#include "process/lifeline.hpp"

#include <lastcall/runtime/immortal.hpp>
#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/process_calls.hpp"
#include "sys/thread.hpp"

#include <array>
#include <cerrno>

#include <signal.h>

namespace lastcall::detail {

lifeline& the_lifeline() noexcept {
  static immortal<lifeline> only;
  return *only;
}

int lifeline::begin(raw_fd life, pid_t manager, duration grace, int to_wake) noexcept {
  life_ = std::move(life);
  grace_ = grace;
  to_wake_ = to_wake;
  manager_ = raw_fd::own(sys::pidfd_open(manager));
  pthread_t thread{};
  if (const int result = sys::start_deaf_thread(thread, &run, this, "lc-lifeline"); result < 0) return result;
  sys::detach(thread);
  sys::set_parent_death_signal(SIGCONT);
  return 0;
}

void* lifeline::run(void* self) noexcept {
  sys::set_parent_death_signal(SIGCONT);
  static_cast<lifeline*>(self)->watch();
  return nullptr;
}

void lifeline::ask_to_stop() noexcept {
  stop_.store(1, std::memory_order_release); // pairs with stop_asked and who waits for the word
  wait::futex_wake_all(stop_);
}

void lifeline::watch() noexcept {
  for (bool gone = false; !gone;) {
    std::array<sys::awaited, 2> watched{
        {{life_.number(), sys::readable}, {manager_.number(), sys::readable}}};
    sys::poll_many(watched, -1);
    gone = watched[1].found != 0;
    if (watched[0].found == 0) continue;
    life_note note;
    const auto size = sys::receive_now(life_.number(), &note, sizeof note);
    if (size == sizeof note && note.kind == life_note::what::stop)
      ask_to_stop();
    else if (size != -EAGAIN && size != -EINTR)
      gone = true;
  }
  gone_.store(true, std::memory_order_release); // pairs with manager_gone
  ask_to_stop();
  sys::stop_receiving(to_wake_);
  // By the kernel's clock, whatever clock a test has put in its place.
  for (const std::int64_t until = sys::monotonic_ns() + grace_.count();;) {
    const std::int64_t left = until - sys::monotonic_ns();
    if (left <= 0) sys::kill_self();
    sys::poll_many({}, left);
  }
}

void lifeline::report(const life_note& note) noexcept {
  const sys::piece bytes{&note, sizeof note};
  sys::send_now(life_.number(), {&bytes, 1});
}

void lifeline::let_go() noexcept {
  life_ = {};
  manager_ = {};
}

} // namespace lastcall::detail
