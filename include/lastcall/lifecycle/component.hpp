// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/context.hpp>

#include <concepts>
#include <memory>
#include <utility>

namespace lastcall {

template <class T>
concept startable = requires(T& it) {
  { it.start() } -> std::same_as<void>;
}
|| requires(T& it, context& at) {
  { it.start(at) } -> std::same_as<void>;
};

template <class T>
concept stoppable = requires(T& it) {
  { it.stop() } -> std::same_as<void>;
}
|| requires(T& it, context& at) {
  { it.stop(at) } -> std::same_as<void>;
};

/// A thing with `start` and `stop`, each of which may take a `context&`. No base class is needed.
///
/// `start` fails by throwing; what it had acquired by then it gives back itself, as a constructor would, for
/// `stop` is called only after a start that returned. `stop` fails by throwing, too: the application notes it
/// and goes on. Both return `void`: a status that nobody looks at is refused at compile time.
///
/// Threads: `start` runs on the thread that called `application::run`, `stop` on one of the application's
/// own.
template <class T>
concept component = startable<T> && stoppable<T>;

namespace detail {

/// A component whose type is forgotten.
class any_component {
public:
  virtual ~any_component() = default;
  virtual void start(context& at) = 0;
  virtual void stop(context& at) = 0;
};

template <component T>
class held_component final : public any_component {
public:
  template <class... Args>
  explicit held_component(Args&&... args) : object(std::forward<Args>(args)...) {}

  void start(context& at) override {
    if constexpr (requires { object.start(at); })
      object.start(at);
    else
      object.start();
  }

  void stop(context& at) override {
    if constexpr (requires { object.stop(at); })
      object.stop(at);
    else
      object.stop();
  }

  T object;
};

} // namespace detail
} // namespace lastcall
