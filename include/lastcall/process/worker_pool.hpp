// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/byte_buffer.hpp>
#include <lastcall/process/plain_codec.hpp>
#include <lastcall/process/process_source.hpp>
#include <lastcall/process/reply.hpp>
#include <lastcall/process/worker_options.hpp>
#include <lastcall/process/worker_type.hpp>
#include <lastcall/wait/deadline.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace lastcall {

namespace detail {

class workers_core;
enum class when_full : std::uint8_t { wait, refuse };

/// A pool without types: what worker_pool leaves to the library.
class pool_base {
public:
  pool_base(const pool_base&) = delete;
  pool_base& operator=(const pool_base&) = delete;

  /// Stops all workers, within the deadline. What waits in the queue fails at once, ahead of everything; a
  /// call that runs may end while the plan asks. Any thread; of several, one does it and the others wait.
  workers_report stop(deadline until) noexcept;
  workers_report stop() noexcept; ///< within the time of the plan
  /// Refuses new calls, waits until those that are in have ended, then stops.
  workers_report drain(deadline until) noexcept;

  std::size_t waiting() const noexcept; ///< calls in the queue
  std::size_t ready() const noexcept;   ///< workers that are up
  /// Of the workers, in their order; 0 for one that is being replaced, which for `kill` is the caller's own
  /// group. For signals see `signal_worker`.
  std::vector<pid_t> pids() const;
  /// Sends a worker a signal: to that very process. For tests, and for those who know what they do.
  void signal_worker(std::size_t worker, int signal) noexcept;

protected:
  pool_base(process_source& from, worker_options options, const worker_type& type, byte_buffer arguments);
  ~pool_base();

  static byte_buffer frame(); ///< with room for its head
  std::shared_ptr<reply_state> submit(worker_method method, byte_buffer frame, deadline until,
                                      when_full full);
  std::vector<std::shared_ptr<reply_state>> submit_to_all(worker_method method, byte_buffer frame);

private:
  std::shared_ptr<workers_core> core_;
};

} // namespace detail

/// N processes that each hold a `T`, and calls of its methods from this one.
///
/// Work that crashes, leaks, blocks or holds a global lock belongs into a process of its own. Then somebody
/// has to start these in order, carry calls to them, notice how they end, replace them, stop them in time,
/// and see to it that none stays behind. That is what a pool does.
///
///     struct scanner {
///       explicit scanner(std::string patterns);        // in each worker, once
///       std::vector<hit> scan(std::string text);
///       void update(std::string patterns);
///     };
///     lastcall::zygote nursery;                         // first in main
///     lastcall::worker_pool<scanner> pool{nursery, {.workers = 4}, "patterns.txt"};
///     auto found = pool.call<&scanner::scan>(text);     // a reply; found.get()
///     pool.broadcast<&scanner::update>("new.txt");      // to each of them, ahead of what is queued
///
/// The constructor's arguments must be of the types that T's constructor takes, or be named:
/// `worker_pool<scanner>{nursery, {}, std::string{"patterns.txt"}}`; a string literal counts as std::string.
///
/// Threads: any. A worker has one thread for its object.
/// Signals: workers are asked by the pool; what they do about signals of their own is `on_interrupt`.
/// Stop: stops go ahead of broadcasts, broadcasts ahead of calls. Waiting callers get
/// `stopped_while_waiting`. Ordering: calls begin in the order in which they were made; where there are
/// several workers they may end in any. Lifetime: the destructor stops within the plan's time. When this
/// process ends, however it does, workers end
///   within `orphan_grace`; see docs/processes.md. A process that is forked from this one leaves the pool
///   alone.
/// Errors: the constructor returns when all objects are made, or throws pool_error (`start_failed`, with the
/// text
///   of what the object's constructor threw), within the times of the options; nothing is left then. It also
///   throws `interrupted`, as every wait of the library.
template <class T, class Codec = plain_codec>
class worker_pool : public detail::pool_base {
  template <class A>
  using sent =
      std::conditional_t<std::is_convertible_v<std::decay_t<A>, const char*>, std::string, std::decay_t<A>>;
  template <auto Method>
  using method = detail::method_of<Method, T, Codec>;
  template <auto Method>
  using reply_of = reply<typename method<Method>::result, Codec>;

public:
  template <class... Arguments>
  requires std::constructible_from<T, sent<Arguments>...>
  explicit worker_pool(process_source& from, worker_options options, Arguments&&... arguments)
      : pool_base{from, std::move(options), detail::worker_type_of<T, Codec, sent<Arguments>...>::value,
                  encoded(sent<Arguments>(std::forward<Arguments>(arguments))...)} {}
  ~worker_pool() = default;

  /// Has the next free worker call the method. Where the queue is full it waits for room, as a wait of the
  /// library. Throws pool_error: stopped, broken; what the codec throws; std::bad_alloc.
  template <auto Method, class... Arguments>
  reply_of<Method> call(Arguments&&... arguments) {
    return call_within<Method>(deadline::never(), std::forward<Arguments>(arguments)...);
  }
  /// The same, with a latest moment for its end: then the reply is `pool_errc::deadline`, wherever the call
  /// stands.
  template <auto Method, class... Arguments>
  reply_of<Method> call_within(deadline until, Arguments&&... arguments) {
    return reply_of<Method>{submit(&method<Method>::invoke,
                                   packed<Method>(std::forward<Arguments>(arguments)...), until,
                                   detail::when_full::wait)};
  }
  /// The same, or nothing where the queue is full.
  template <auto Method, class... Arguments>
  std::optional<reply_of<Method>> try_call(Arguments&&... arguments) {
    auto state = submit(&method<Method>::invoke, packed<Method>(std::forward<Arguments>(arguments)...),
                        deadline::never(), detail::when_full::refuse);
    if (state == nullptr) return std::nullopt;
    return reply_of<Method>{std::move(state)};
  }
  /// Has every worker call it, each as its next call. A reply for each worker.
  template <auto Method, class... Arguments>
  std::vector<reply_of<Method>> broadcast(Arguments&&... arguments) {
    std::vector<reply_of<Method>> replies;
    for (auto& state :
         submit_to_all(&method<Method>::invoke, packed<Method>(std::forward<Arguments>(arguments)...)))
      replies.emplace_back(std::move(state));
    return replies;
  }

private:
  template <class... Arguments>
  static byte_buffer encoded(const Arguments&... arguments) {
    byte_buffer bytes = frame();
    Codec::encode(bytes, arguments...);
    return bytes;
  }
  template <auto Method, class... Arguments>
  static byte_buffer packed(Arguments&&... arguments) {
    byte_buffer bytes = frame();
    method<Method>::encode(bytes, std::forward<Arguments>(arguments)...);
    return bytes;
  }
};

} // namespace lastcall
