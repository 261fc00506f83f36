// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/pass.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <signal.h>

namespace lastcall {

/// Thrown by `gate::enter` after `close`.
class gate_closed : public std::runtime_error {
public:
  gate_closed();
};

/// Who may still come in, and who is still inside.
///
/// Before something is torn down, those who use it must be out, and nobody may come in while one waits
/// for them. A counter with a flag gets this wrong in the usual ways: it is entered between the check of
/// the flag and the count, it is waited for without limit, and when it does not empty nobody knows whom
/// to blame. A gate admits until it is closed, is waited for with a deadline, and names its holders.
///
///     lastcall::gate requests;
///     auto inside = requests.enter("GET /report");   // in a handler; throws gate_closed once closed
///     …
///     requests.close();                              // in stop
///     if (!requests.wait_until(deadline::after(5s)))
///       for (auto& who : requests.holders()) complain(who.name, who.thread);
///
/// Use std::counting_semaphore to limit how many are inside; a gate does not limit.
///
/// Threads: all functions from any thread; a pass may be given back on another thread than it was taken,
///   and may outlive the thread that took it. Entering and leaving without a name touch the thread's own
///   count only: a few instructions, none of them a locked one, and threads do not slow each other. A name
///   costs an allocation, a look at the clock and a lock that is hardly ever shared.
/// Signals: not from a handler.
/// Fork: in a forked child those inside are the passes that the forking thread itself has taken; the other
///   threads' passes do not exist there, and giving one back does nothing. The gate is open or closed as
///   the parent's was.
/// Limits: with more than 255 gates at once, the later ones count on one word for all threads, as does a
///   thread for which there is no memory; a forked child cannot tell whose these counts are and keeps them.
/// Lifetime: destroying a gate while somebody is inside is misuse and aborts. It may be destroyed as soon as
///   `wait_until` has returned true after `close`, provided nobody calls `enter` any more.
class gate {
public:
  /// Somebody who is inside.
  struct holder {
    std::string name;   ///< as given to `enter`; may be empty
    pid_t thread = 0;   ///< the kernel's id of the thread that entered, which may have ended; 0: not known
    time_point since{}; ///< when; only of a named one, the others do not ask the clock
  };

  /// Open. Throws std::bad_alloc.
  gate();
  ~gate();
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  /// Comes in; the pass goes out when it is destroyed. Throws gate_closed after `close`.
  [[nodiscard]] pass enter();
  /// The same under a name. Throws std::bad_alloc, too.
  [[nodiscard]] pass enter(std::string_view name);
  /// The same two, but nothing when the gate is closed.
  [[nodiscard]] std::optional<pass> try_enter() noexcept;
  [[nodiscard]] std::optional<pass> try_enter(std::string_view name);

  /// Admits nobody from here on. Those inside stay. Closing twice is harmless. One system call.
  void close() noexcept;
  /// Admits again, for a second initialization. Who is inside from before stays, counts, and is waited for
  /// by the next `wait_until`. Opening an open gate is harmless.
  void reopen() noexcept;
  bool closed() const noexcept;

  /// Waits until nobody is inside; the last to leave wakes it. Ends at the deadline; true when the gate
  /// emptied. After `close` that is final. On an open gate there was a moment without anybody, and somebody
  /// may come in as soon as it returns; while it waits there, entering is slower.
  bool wait_until(deadline until) noexcept;

  /// How many are inside, and who they are. Nobody who is inside a closed gate is missed; one who is being
  /// refused at that moment may be shown. On an open gate some may have left, and others come, meanwhile.
  std::size_t size() const noexcept;
  std::vector<holder> holders() const;

private:
  [[noreturn]] static void refuse();

  detail::gate_words* words_;
};

// ---------------------------------------------------------------------------------------------------

inline pass gate::enter() {
  detail::gate_words* words = words_;
  detail::gate_home* home = detail::come_in(*words);
  if (home == nullptr) [[unlikely]]
    refuse();
  return pass{*words, *home};
}

inline std::optional<pass> gate::try_enter() noexcept {
  detail::gate_words* words = words_;
  detail::gate_home* home = detail::come_in(*words);
  if (home == nullptr) [[unlikely]]
    return std::nullopt;
  return pass{*words, *home};
}

} // namespace lastcall
