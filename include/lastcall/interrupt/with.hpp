// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/shield.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace lastcall {

/// Something entered and left by `lock()` and `unlock()`.
template <class Resource>
concept lock_like = requires(Resource& resource) {
  resource.lock();
  resource.unlock();
};

/// Something entered and left by `enter()` and `leave()`.
template <class Resource>
concept enter_like = !lock_like<Resource> && requires(Resource & resource) {
  resource.enter();
  resource.leave();
};

/// A function that makes the object whose lifetime is the stay: `[&] { return gate.enter(); }`.
template <class Factory>
concept factory_like = std::invocable<Factory&> && std::is_object_v<std::invoke_result_t<Factory&>>;

/// Enter, protect, leave, without a gap: runs `fn` between entering and leaving `resource` and returns
/// what it returns.
///
/// The classic block has two gaps in which an interrupt loses the resource: after the acquisition and
/// before the protection begins, and inside the release. Here both ends run under a shield, and the
/// protection is up before the shield ends; the body itself is not shielded and is left by `interrupted`
/// as by any exception.
///
///     lastcall::with(mutex, [&] { while (more()) { lastcall::checkpoint(); step(); } });
///     lastcall::with([&] { return gate.enter("import"); }, [&](lastcall::pass&) { import(); });
///
/// Errors: what entering throws comes out and nothing is left. Leaving must not throw (as `unlock`).
template <lock_like Resource, std::invocable Fn>
decltype(auto) with(Resource&& resource, Fn&& fn);

/// The same by `enter()` and `leave()`.
template <enter_like Resource, std::invocable Fn>
decltype(auto) with(Resource&& resource, Fn&& fn);

/// The same with an object that `factory` makes and whose destructor leaves; `fn` gets a reference to it.
template <factory_like Factory, class Fn>
requires std::invocable < Fn, std::invoke_result_t<Factory&>
& > decltype(auto) with(Factory&& factory, Fn&& fn);

// ---------------------------------------------------------------------------------------------------

namespace detail {

// Construction and destruction each run under a shield of their own. The object is complete, and so its
// destructor certain, before the constructor's shield comes down: there is no moment with the resource
// held and nobody to give it back.
template <class Resource, auto Enter, auto Leave>
class stay {
public:
  explicit stay(Resource& resource) : resource_{resource} {
    shielded([&] { Enter(resource_); });
  }
  ~stay() {
    shielded([&] { Leave(resource_); });
  }
  stay(const stay&) = delete;
  stay& operator=(const stay&) = delete;

private:
  Resource& resource_;
};

template <class Object>
class made_stay {
public:
  template <class Factory>
  explicit made_stay(Factory& factory) {
    shield up;
    ::new (static_cast<void*>(&object_)) Object(factory());
  }
  ~made_stay() {
    shield up;
    object_.~Object();
  }
  made_stay(const made_stay&) = delete;
  made_stay& operator=(const made_stay&) = delete;
  Object& object() noexcept { return object_; }

private:
  union {
    Object object_;
  };
};

} // namespace detail

template <lock_like Resource, std::invocable Fn>
decltype(auto) with(Resource&& resource, Fn&& fn) {
  using held = std::remove_reference_t<Resource>;
  detail::stay<held, [](held& it) { it.lock(); }, [](held& it) { it.unlock(); }> inside{resource};
  return std::invoke(std::forward<Fn>(fn));
}

template <enter_like Resource, std::invocable Fn>
decltype(auto) with(Resource&& resource, Fn&& fn) {
  using held = std::remove_reference_t<Resource>;
  detail::stay<held, [](held& it) { it.enter(); }, [](held& it) { it.leave(); }> inside{resource};
  return std::invoke(std::forward<Fn>(fn));
}

template <factory_like Factory, class Fn>
requires std::invocable < Fn, std::invoke_result_t<Factory&>
& > decltype(auto) with(Factory&& factory, Fn&& fn) {
  detail::made_stay<std::invoke_result_t<Factory&>> inside{factory};
  return std::invoke(std::forward<Fn>(fn), inside.object());
}

} // namespace lastcall
