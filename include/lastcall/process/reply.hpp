// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/byte_buffer.hpp>
#include <lastcall/process/pool_error.hpp>
#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {

/// What a caller and the pool share: written by the pool once, before `settled`.
struct reply_state {
  std::atomic<std::uint32_t> settled{0}; ///< release, pairs with the acquire of whoever looks
  byte_buffer bytes;                     ///< the result
  std::unique_ptr<pool_error> error;     ///< or why there is none
  bool no_memory = false;                ///< … for that

  /// Once: says that it is there, and wakes those that wait.
  void say() noexcept;
  void wake() const noexcept;
  bool wait_until(deadline until) const;
  /// Waits without limit, and gives the result's bytes or throws.
  std::span<const std::byte> result() const;
};

} // namespace detail

/// The result of a call that a worker makes, when it is there.
///
/// A future whose wait is one of the library's: it ends by a request on the owner of a signal_scope, and
/// gives the big lock up. It does not stop the call when it is dropped. The result is decoded by whoever asks
/// for it.
///
///     lastcall::reply<int> sum = pool.call<&adder::add>(1, 2);
///     if (sum.wait_until(deadline::after(1s))) std::cout << sum.get();
///
/// Threads: one at a time; the call goes on meanwhile. Lifetime: outlives the pool, which settles it at its
/// end at the latest: a wait ends, with `pool_errc::stopped_while_waiting` if with nothing else.
template <class Result, class Codec>
class reply {
public:
  reply() noexcept = default;
  explicit reply(std::shared_ptr<detail::reply_state> of) noexcept : state_{std::move(of)} {}

  bool valid() const noexcept { return state_ != nullptr; }
  /// Whether the call has ended, one way or the other.
  bool ready() const noexcept {
    return state_->settled.load(std::memory_order_acquire) != 0; // pairs with say's release
  }
  /// Waits for that; false when the deadline has passed. Throws `interrupted`, and stays valid.
  bool wait_until(deadline until) const { return state_->wait_until(until); }
  /// Waits and gives the result. Throws pool_error, codec_error (or what the codec throws), `interrupted`.
  Result get() const {
    const auto bytes = state_->result();
    if constexpr (!std::is_void_v<Result>) return std::get<0>(Codec::template decode<Result>(bytes));
  }

private:
  std::shared_ptr<detail::reply_state> state_;
};

} // namespace lastcall
