// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/activity.hpp>

#include <coroutine>
#include <optional>

namespace lastcall {

/// Something that happens once, for coroutines that wait for it. It stays set until `clear`.
///
///     lastcall::async_event ready;
///     n.start([&]() -> task<> { co_await ready; … });
///     ready.set();
///
/// Waiters go on in the order in which they came. A cancellation ends the wait: `cancelled`.
/// Threads: the loop's alone; from others `loop::post([&] { ready.set(); })`.
/// Lifetime: outlives those who wait for it; destroying it before is misuse and aborts.
class async_event {
public:
  class awaiter : private detail::waiting {
  public:
    explicit awaiter(async_event& of) noexcept : of_{of} {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> frame) noexcept;
    void await_resume() const {
      if (cut_) throw cancelled{*cut_};
    }

  private:
    friend class async_event;
    void abort() noexcept override;
    async_event& of_;
    detail::activity* who_ = nullptr;
    awaiter* before_ = nullptr;
    awaiter* after_ = nullptr;
    std::optional<cancellation> cut_{};
  };

  async_event() noexcept = default;
  ~async_event();
  async_event(const async_event&) = delete;
  async_event& operator=(const async_event&) = delete;

  void set() noexcept;
  void clear() noexcept { set_ = false; }
  [[nodiscard]] bool is_set() const noexcept { return set_; }
  awaiter operator co_await() noexcept { return awaiter{*this}; }

private:
  void remove(awaiter& one) noexcept;
  awaiter* first_ = nullptr;
  awaiter* last_ = nullptr;
  bool set_ = false;
};

} // namespace lastcall
