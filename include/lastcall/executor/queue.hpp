// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/errors.hpp>
#include <lastcall/executor/queue_core.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <system_error>
#include <utility>

namespace lastcall {

/// What becomes of what is in a queue that is shut down.
enum class queue_end : bool {
  graceful, ///< it can still be got; then getting is an error
  immediate ///< it is discarded, and counts as done
};

/// A bounded queue between threads that can be shut down while they wait for it.
///
/// A consumer that waits for what nobody will put, and a producer that waits for room that nobody will make,
/// are what a stop commonly hangs on. `shut_down` wakes them all, with an error that says so; and each wait
/// has a deadline and is ended by a request, as all waits of the library are.
///
///     lastcall::queue<job> jobs{100};
///     // a consumer                               // a producer, and the stop
///     while (auto one = jobs.get_until(never, stop)) { jobs.put(next());
///       run(*one);                                  …
///       jobs.done();                                jobs.shut_down();
///     }                                             jobs.join_until(lastcall::deadline::after(5s));
///
/// Each wait comes in three forms, as those of `io::` do: without more it is a checkpoint; with an error_code
/// it reports instead of throwing; with a token it ends when that fires.
///
/// Threads: all functions from any thread; not from a handler.
/// Errors: std::system_error with executor_errc::shut_down; std::bad_alloc, and what moving a T throws. What
///   was not put is still the caller's.
/// Ordering: first in, first out. Lifetime: nobody may wait for it when it is destroyed.
template <class T>
class queue {
public:
  static constexpr std::size_t unbounded = static_cast<std::size_t>(-1);

  /// Throws std::invalid_argument for a capacity of 0.
  explicit queue(std::size_t capacity = unbounded) : core_{capacity} {}
  queue(const queue&) = delete;
  queue& operator=(const queue&) = delete;

  /// Puts it in, and waits for room without limit.
  void put(T value) { put_until(std::move(value), deadline::never()); }
  /// False when there was no room by the deadline; `value` is then what it was. Ends by the deadline, by
  /// room, by `shut_down`.
  bool put_until(T&& value, deadline until) { return put(value, until, {}); }
  bool put_until(T&& value, deadline until, std::error_code& error) {
    return put(value, until, {.error = &error});
  }
  bool put_until(T&& value, deadline until, const std::stop_token& stop) {
    return put(value, until, {.stop = &stop});
  }
  bool try_put(T&& value) { return put(value, deadline::after(duration::zero()), {}); }

  /// Takes the oldest, and waits for one without limit.
  T get() { return *get_until(deadline::never()); }
  /// Nothing when there was none by the deadline. Ends by the deadline, by `put`, by `shut_down`.
  std::optional<T> get_until(deadline until) { return get(until, {}); }
  std::optional<T> get_until(deadline until, std::error_code& error) { return get(until, {.error = &error}); }
  std::optional<T> get_until(deadline until, const std::stop_token& stop) {
    return get(until, {.stop = &stop});
  }
  std::optional<T> try_get() { return get(deadline::after(duration::zero()), {}); }

  /// One that was got has been dealt with. Misuse, which aborts: more often than got.
  void done() noexcept { core_.done(1); }
  /// Waits until all that was put is done or discarded; false when the deadline passes before. A checkpoint,
  /// as above.
  bool join_until(deadline until) { return core_.join(until, {}); }
  bool join_until(deadline until, std::error_code& error) { return core_.join(until, {.error = &error}); }
  bool join_until(deadline until, const std::stop_token& stop) { return core_.join(until, {.stop = &stop}); }

  /// From now on nothing can be put; all waits for room end, and those for something to get once there is
  /// nothing. Again with `immediate` it discards what is left. Returns how many were discarded.
  std::size_t shut_down(queue_end how = queue_end::graceful) noexcept {
    std::list<T> gone; // destroyed without the lock
    {
      const std::scoped_lock guard{core_.lock()};
      core_.close();
      if (how == queue_end::immediate) gone.swap(items_);
      core_.taken(gone.size());
    }
    core_.ring_all();
    if (!gone.empty()) core_.done(gone.size());
    return gone.size();
  }
  bool is_shut_down() const noexcept { return core_.closed(); }

  std::size_t size() const noexcept { return core_.size(); }
  std::size_t capacity() const noexcept { return core_.capacity(); }

private:
  bool put(T& value, deadline until, detail::wait_style how) {
    core_.begin(how);
    std::list<T> node;
    node.push_back(std::move(value));
    struct give_back {
      T& to;
      std::list<T>& from;
      ~give_back() {
        if (!from.empty()) to = std::move(from.front());
      }
    } const in_case{value, node};
    return core_.when_room(until, how, [&] { items_.splice(items_.end(), node); });
  }

  std::optional<T> get(deadline until, detail::wait_style how) {
    core_.begin(how);
    std::list<T> node;
    if (!core_.when_item(until, how, [&] { node.splice(node.end(), items_, items_.begin()); }))
      return std::nullopt;
    return std::optional<T>{std::move(node.front())};
  }

  mutable detail::queue_core core_;
  std::list<T> items_; ///< under the core's lock
};

} // namespace lastcall
