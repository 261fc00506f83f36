// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/errors.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

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
  /// Destroys what is there; or leaks it, where threads may still use it.
  virtual void clear() = 0;
  virtual void leak() noexcept = 0;
  ~state_node() = default;
  /// Makes the object by `make` for the generation that is live, and lists this. Throws runtime_errc.
  void enter(void (*make)(state_node&));
  std::atomic<std::uint64_t> generation_{0}; ///< of the object that is there; release after it is made

private:
  friend class state_list;
  const char* name_;
  std::mutex making_;
  state_node* older_ = nullptr;
};

/// The generation that is live; 0 when none is.
std::uint64_t live_generation() noexcept;
void touch_state();

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
/// Threads: `get` on any. T's own safety is its own. Errors: `get` throws std::system_error:
/// runtime_errc::no_runtime
///   or ::ending outside of a runtime's life; and what T's constructor throws.
template <class T>
class module_state final : public detail::state_node {
public:
  constexpr explicit module_state(const char* name) noexcept : state_node{name} {}

  T& get() {
    detail::touch_state();
    const std::uint64_t now = detail::live_generation();
    // Acquire pairs with the release in enter.
    if (now == 0 || generation_.load(std::memory_order_acquire) != now)
      enter([](state_node& self) { static_cast<module_state&>(self).object_ = new T(); });
    return *object_;
  }

private:
  void clear() override {
    const std::unique_ptr<T> gone{object_};
    object_ = nullptr;
  }
  void leak() noexcept override { object_ = nullptr; }

  T* object_ = nullptr;
};

} // namespace lastcall
