// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/errors.hpp>

#include <atomic>
#include <cstdint>

namespace lastcall {

namespace detail {

/// A named state as the runtime sees it. It is never destroyed while it is in the runtime's list.
class state_node {
public:
  constexpr explicit state_node(const char* name) noexcept : name_{name} {}
  state_node(const state_node&) = delete;
  state_node& operator=(const state_node&) = delete;

  const char* name() const noexcept { return name_; }

protected:
  ~state_node() = default;
  virtual void destroy(void* object) = 0;
  /// Returns once there is an object of the generation that is live. Throws runtime_errc and what `make`
  /// does.
  void enter(void* (*make)());

  std::atomic<std::uint64_t> generation_{0}; ///< of the object that is there; release after it
  std::atomic<void*> object_{nullptr};

private:
  friend class state_list;
  const char* name_;
  std::atomic<std::uint32_t> making_{0}; ///< the generation, its lower half, for which somebody makes one;
                                         ///< written with the list's lock held
  state_node* older_ = nullptr;
};

/// The generation that is live; 0 when none is.
std::uint64_t live_generation() noexcept;
void touch_state();
[[noreturn]] void refuse_state();

} // namespace detail

/// A global object that belongs to the runtime: made at its first use, destroyed at the end of the runtime in
/// reverse order of making, made afresh in the next one.
///
///     constinit lastcall::module_state<connection_cache> connections{"connections"};
///     connections.get().insert(…);
///
/// For what a program would make a static, if statics were destroyed before their users are gone. While a
/// thread of the runtime is not proven to be out of the way, objects are leaked rather than destroyed, and
/// counted in the report.
///
/// Threads: `get` on any. T's own safety is its own. One thread constructs, without a lock; others wait for
/// it.
///   One that is still at it when its runtime has ended destroys what it made.
/// Errors: `get` throws std::system_error: runtime_errc::no_runtime, ::ending or ::over outside of a
/// runtime's
///   life; and what T's constructor throws.
template <class T>
class module_state final : public detail::state_node {
public:
  constexpr explicit module_state(const char* name) noexcept : state_node{name} {}

  T& get() {
    const std::uint64_t now = detail::live_generation();
    // Acquire pairs with the release in publish.
    if (now == 0 || generation_.load(std::memory_order_acquire) != now)
      enter([]() -> void* { return new T(); });
    void* const object = object_.load(std::memory_order_acquire); // pairs with that in publish and clear
    // After the loads: a thread that has read anything of the next runtime's sees that its own is over.
    detail::touch_state();
    if (object == nullptr) detail::refuse_state(); // cleared just now
    return *static_cast<T*>(object);
  }

private:
  void destroy(void* object) override { delete static_cast<T*>(object); }
};

} // namespace lastcall
