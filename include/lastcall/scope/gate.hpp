// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <signal.h>

namespace lastcall {

class pass;

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
/// Threads: all functions from any thread; a pass may be given back on another thread than it was taken.
///   Enter and leave take one mutex; a form without contention can replace it behind this interface.
/// Signals: not from a handler.
/// Lifetime: destroying a gate while somebody is inside is misuse and aborts.
class gate {
public:
  /// Somebody who is inside.
  struct holder {
    std::string name;   ///< as given to `enter`; may be empty
    pid_t thread = 0;   ///< the kernel's id of the thread that entered
    time_point since{}; ///< when
  };

  gate() = default;
  ~gate();
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  /// Comes in; the pass goes out when it is destroyed. Throws gate_closed after `close`, std::bad_alloc.
  [[nodiscard]] pass enter(std::string_view name = {});
  /// The same, but nothing when the gate is closed.
  [[nodiscard]] std::optional<pass> try_enter(std::string_view name = {});

  /// Admits nobody from here on. Those inside stay. Closing twice is harmless.
  void close() noexcept;
  bool closed() const noexcept;

  /// Waits until nobody is inside. Ends at the deadline; true when the gate emptied. It does not close
  /// the gate: on an open one, somebody may come in as soon as it returns.
  bool wait_until(deadline until) noexcept;

  /// How many are inside, and who they are.
  std::size_t size() const noexcept;
  std::vector<holder> holders() const;

private:
  friend class pass;
  std::optional<std::size_t> admit(std::string_view name);
  void leave(std::size_t slot) noexcept;

  mutable std::mutex lock_;
  std::vector<std::optional<holder>> slots_; // one per holder, reused
  std::vector<std::size_t> free_;            // indices of empty slots; capacity follows slots_
  std::size_t inside_ = 0;
  bool closed_ = false;
  std::atomic<std::uint32_t> emptied_{0}; // counts how often `inside_` became 0; what waiters sleep on
};

/// The right to be inside a gate. Movable; an empty one holds nothing.
class [[nodiscard]] pass {
public:
  pass() noexcept = default;
  pass(pass&& other) noexcept : gate_{std::exchange(other.gate_, nullptr)}, slot_{other.slot_} {}
  pass& operator=(pass&& other) noexcept;
  ~pass() { leave(); }

  /// Goes out now instead of at destruction. Any thread.
  void leave() noexcept;
  explicit operator bool() const noexcept { return gate_ != nullptr; }

private:
  friend class gate;
  pass(gate& from, std::size_t slot) noexcept : gate_{&from}, slot_{slot} {}
  gate* gate_ = nullptr;
  std::size_t slot_ = 0;
};

} // namespace lastcall
