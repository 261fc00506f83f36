// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <csignal> // pid_t
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace lastcall {

/// One thread runs at a time: the lock of a program, or of an interpreter inside it, whose threads share
/// everything.
///
/// With a plain mutex in this place, a thread that loops keeps all others out (to take a mutex again is
/// faster than to wake up), one that waits with it held stops them, and at the end of the program somebody
/// destroys it under those who wait for it, or leaves them hanging. The big lock is handed on after an
/// interval, is given up by every wait of this library, and ends with its runtime: it is closed, works again
/// in the next one, and is never destroyed.
///
///     std::unique_lock turn{lastcall::the_big_lock()};
///     for (auto& row : table) {
///       lastcall::checkpoint();              // here it is handed over, when others have waited long enough
///       convert(row);
///     }
///     lastcall::io::read(fd, buffer, size);  // given up while it waits, and taken back
///     lastcall::big_lock::released_while([&] { compress(block); });   // works alone, others run
///
/// Use std::mutex for one object; nobody hands that over for you, and no wait gives it up.
///
/// Turns: those who wait stand in a queue. As long as the lock is given up and taken of the threads' own
/// accord,
///   whoever comes first has it, also past the queue. When nobody out of the queue has had it for the
///   runtime's `interval`, its holder is asked, and hands it to the first in the queue: at its next
///   checkpoint, where it waits for its next turn, or when it gives the lock up. With n takers nobody waits
///   longer than n intervals and the time in which holders come to a checkpoint.
/// Waits: every wait of the library gives the lock up first and takes it back after: `io::`,
/// `gate::wait_until`,
///   joins, streams. What a request delivers comes after it has been taken back. What waits elsewhere
///   (std::mutex, a library that blocks) goes into `released_while`.
/// The end: a runtime's finalization closes the lock. Those who wait for it, and those who come later, do not
/// get
///   it, however late they wake:
///
///                                  of ours                                    of others
///       lock, try_lock_until       unwound by `runtime_ended`, once           never return
///       back from a wait           the same; parked where it is noexcept      never return
///       end of `released`          parked, unless an exception ends it        never return
///       try_lock                   false                                      false
///
///   A thread that is unwound out of a wait runs its destructors without the lock; their `unlock` does
///   nothing. Threads that finalize (and what is registered for that) get it while nobody else holds it, and
///   an error when a thread does that no longer gives it up: never a wait without end.
/// Threads: any, also those the library has not started. Not recursive; given up by the thread that took it.
/// Signals: not from a handler.
/// Fork: in a forked child it is held if the forking thread held it, and free otherwise; nobody waits.
/// Errors: std::system_error: runtime_errc::no_runtime before the first runtime; runtime_errc::never_ends
/// with
///   the name of the holder, and runtime_errc::over, on threads that have carried out a finalization. Misuse
///   aborts: taking it twice, giving up what another thread holds, a thread's end with the lock held.
/// Limits: a holder that comes to no checkpoint and gives nothing up keeps it. When it does so past the end
/// of its
///   runtime the report names it, and in the next runtime it is not the holder any more, whatever it still
///   does.
class big_lock {
public:
  /// A thread that holds it.
  struct who {
    std::string name; ///< ours: as it was started; others: the kernel's name for it
    pid_t thread = 0; ///< the kernel's id
  };

  big_lock(const big_lock&) = delete;
  big_lock& operator=(const big_lock&) = delete;

  /// Waits for the lock; what ends the wait without it stands above.
  void lock();
  /// The same up to a deadline: false when that has passed. Of threads of others it returns false then also
  /// when the lock is closed.
  [[nodiscard]] bool try_lock_until(deadline until);
  /// Does not wait. False also when the lock is closed, or there has been no runtime.
  [[nodiscard]] bool try_lock() noexcept;
  void unlock() noexcept;

  /// Whether the calling thread holds it.
  [[nodiscard]] bool is_mine() const noexcept;
  /// Who holds it at this moment, for reports. Throws std::bad_alloc.
  [[nodiscard]] std::optional<who> holder() const;

  class released;
  /// Calls `fn` with the lock given up, if the calling thread holds it, and returns what it returns, with the
  /// lock taken back: as `lock` says. When `fn` throws, the lock is taken back first.
  template <class Fn>
  static std::invoke_result_t<Fn> released_while(Fn&& fn);

private:
  friend big_lock& the_big_lock() noexcept;
  constexpr big_lock() noexcept = default;
};

/// The big lock of this process. It exists before `main` and is never destroyed.
big_lock& the_big_lock() noexcept;

/// Gives the big lock up for a block, if the calling thread holds it, and takes it back at its end.
///
///     lastcall::big_lock::released outside;
///     const int status = library_that_blocks();
///     outside.take_back();                 // as `lock` does; the destructor can only park, see big_lock
class big_lock::released {
public:
  released() noexcept;
  ~released();
  released(const released&) = delete;
  released& operator=(const released&) = delete;

  /// Takes it back now.
  void take_back();

private:
  std::uint32_t generation_ = 0; // in which it was held; 0: nothing to take back
  int uncaught_ = 0;
};

// ---------------------------------------------------------------------------------------------------

template <class Fn>
std::invoke_result_t<Fn> big_lock::released_while(Fn&& fn) {
  released outside;
  if constexpr (std::is_void_v<std::invoke_result_t<Fn>>) {
    std::forward<Fn>(fn)();
    outside.take_back();
  } else {
    decltype(auto) result = std::forward<Fn>(fn)();
    outside.take_back();
    return result;
  }
}

} // namespace lastcall
