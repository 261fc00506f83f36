// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/exit_place.hpp"

#include <atomic>
#include <cstdlib>

// First in line
//
// Aim. A runtime that is live at the exit is finalized, and the guard set up, before any static is destroyed:
// a destructor may hang, may touch what the program's daemons use, may need what is finalized.
//
// Obstacle. Exit handlers run newest first, and a static's destructor is one of them. A handler is registered
// when the library is first used, and every static that is constructed later is destroyed before it is
// called. Nobody is told when a static is constructed.
//
// How. Two places, and whichever comes first does it; it is done once.
//   1. `exit` destroys the thread_local objects of the thread that calls it before it calls any handler. So
//   the
//      main thread has one, and each thread of ours, whose destructor registers the handler: it is then the
//      newest. (There, nobody knows the status yet. The handler is told.) A thread that merely comes to its
//      end destroys it, too; that of ours says so before.
//   2. For exits on other threads, a handler is kept near the head of the list: it is registered anew when a
//      runtime begins and when it has ended. It must not grow with each of ten thousand runtimes. What is
//      registered by `__cxa_atexit` on behalf of a shared object is called, and taken out, by
//      `__cxa_finalize` of that object; a number of our own stands for one. The C library uses the place
//      again, unless something was registered behind it.
//
// What is left: a thread of others exits, and statics were constructed since a runtime last began or ended.

extern "C" {
// From the C++ ABI; glibc's headers do not have them.
// NOLINTBEGIN(bugprone-reserved-identifier)
int __cxa_atexit(void (*function)(void*), void* argument, void* object) noexcept;
void __cxa_finalize(void* object) noexcept;
// NOLINTEND(bugprone-reserved-identifier)
}

namespace lastcall::detail {

namespace {

thread_local constinit bool stands = false;

struct watch {
  bool made = false; ///< to touch it makes it
  ~watch() {
    if (stands) ::on_exit(at_process_exit, nullptr); // without memory: see 2
  }
};
thread_local watch here_at_exit;

// The C library ends the process when it has no memory for the destructor of a thread_local object.
bool memory_is_there() noexcept {
  void* volatile room = std::malloc(64);
  std::free(room);
  return room != nullptr;
}

constinit char our_object = 0;
constinit std::atomic<bool> moving{false};
thread_local constinit bool moves = false; ///< then it is taken out, and not called for an exit

void line_up(void*) {
  if (!moves) ::on_exit(at_process_exit, nullptr); // next, with the status
}

} // namespace

void stand_first_at_exit() noexcept {
  if (stands || !memory_is_there()) return;
  here_at_exit.made = true;
  stands = true;
}

void leave_exit_to_others() noexcept { stands = false; }

void stay_first_at_exit() noexcept {
  // Of two at once one does it. Relaxed: the C library has a lock of its own.
  if (moving.exchange(true, std::memory_order_relaxed)) return;
  moves = true;
  __cxa_finalize(&our_object);
  moves = false;
  __cxa_atexit(&line_up, nullptr, &our_object);
  moving.store(false, std::memory_order_relaxed);
}

void exit_place_in_child() noexcept { moving.store(false, std::memory_order_relaxed); }

} // namespace lastcall::detail
