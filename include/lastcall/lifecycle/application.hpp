// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/component.hpp>
#include <lastcall/lifecycle/main_function.hpp>
#include <lastcall/lifecycle/options.hpp>
#include <lastcall/lifecycle/report.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace lastcall {

namespace detail {
class assembly;
struct middle;
} // namespace detail

template <component T>
class component_handle;

/// Starts components in order, runs until asked to stop, and stops them in reverse, on time.
///
/// Every server grows the same `main`: start this, then that, wait for a signal, stop that, then this.
/// Written by hand it has the same holes each time: a Ctrl-C during the start kills a half-made program or is
/// forgotten, a start that fails leaves the earlier ones running, a stop that hangs keeps all others from
/// being called, and the exit status is 0 whatever happened. Here these are settled once:
///
/// 1. Each start and each stop runs whole; a request is honoured between them (`start_policy`).
/// 2. What was started is stopped, in reverse, also after a failed start; all errors are kept.
/// 3. The stop has a budget. Who is past a deadline is *abandoned*: left behind, named, and all others are
///    still stopped, told so if nothing is left of the budget. No stop is ever skipped.
/// 4. The exit status tells the truth; docs/exit-status.md has the table.
///
///     int main() {
///       lastcall::application app{"shop", {.grace = 25s}};
///       auto db = app.add<database>("db", "/var/lib/shop");
///       app.add<server>("http", 8080).after(db);
///       return app.run();
///     }
///
/// For a program that is one loop use `lastcall::run`.
///
/// Threads: made, assembled, run and destroyed by one thread, its owner; `stop` may be called from any.
/// Signals: taken while `run` runs, by a `signal_scope`; one application runs at a time in a process.
/// Stop: the first request stops, the second shortens the budget to `hurry`, the third ends the process by
///   that signal, whatever it is doing. See `ladder_policy`.
/// Errors: what cannot work (two equal names, a circle, a second `run`) is a `std::logic_error` thrown before
///   anything was started, and a refused thread or descriptor a `std::system_error`. Once the first start was
///   called nothing is thrown any more, not even without memory: failures are reported and show in the
///   exit status.
/// Ordering: components that nothing orders start in the order of `add`.
/// Lifetime: components live as long as the application, and are destroyed in the reverse order of starting.
/// Limits: a start has no deadline; one that hangs is named and ends with the third request. A `log` or
///   `on_report` that blocks blocks the application.
class application {
public:
  /// Throws `std::logic_error` for a negative time or an exit status that is none.
  explicit application(std::string name, application_options options = {});

  /// Destroys the components. Does not stop anything: `run` has done so.
  ~application();

  application(const application&) = delete;
  application& operator=(const application&) = delete;

  /// Makes a component from `args` and adds it under a name of its own. Throws what its constructor throws;
  /// `std::logic_error` for a name that is taken or empty, and once `run` was called.
  template <component T, class... Args>
  requires std::constructible_from<T, Args...> component_handle<T> add(std::string name, Args&&... args);

  /// Starts everything, waits for a request, stops everything. Returns the exit status; after a request by
  /// SIGINT that is 130, and the process will end by the signal once `main` has returned it and everything
  /// static is destroyed. Does not return where a component was abandoned: its thread may still use whatever
  /// is destroyed after `main`, so the process leaves at once, with the status for it.
  int run();

  /// The same, and begins to stop also when `lasting` is over, counted from the end of the last start.
  int run_for(duration lasting);

  /// The same with a function that runs on this thread after the last start, outside any shield: a request is
  /// delivered at its checkpoints. The stop begins when it is over. It may leave by `interrupted`; another
  /// exception is a failure; a status it returns other than 0 becomes the program's.
  template <main_function Fn>
  int run(Fn&& fn) {
    return run_main(detail::erase_main(fn));
  }

  /// Asks for the stop, and returns at once. From any thread, as often as one likes: from a component's own
  /// start or stop, from a destructor, before `run` (which then starts nothing) and after it (nothing
  /// happens). Signals: not from a handler; `raise(SIGTERM)` does the same there.
  void stop(std::string_view why) noexcept;

  /// What happened, as data. Sinks may be added before `run`.
  [[nodiscard]] timeline& events() noexcept;

  /// Of the last run; empty before.
  [[nodiscard]] const report& last_report() const noexcept;

  [[nodiscard]] const std::string& name() const noexcept;

private:
  template <component T>
  friend class component_handle;

  int run_main(detail::any_main fn);
  int run_middle(const detail::middle& between);
  std::size_t adopt(std::string name, std::unique_ptr<detail::any_component> object);
  void require_open(std::string_view what) const;
  void set_after(std::size_t later, const application* owner, std::size_t earlier);
  void set_stop_within(std::size_t index, duration span);

  std::unique_ptr<detail::assembly> assembly_;
};

/// What `add` returns: states the order and the deadline of a component, and gives access to it. A value; it
/// must not outlive the application.
template <component T>
class component_handle {
public:
  /// Starts this one after `others`, and stops it before them. Throws `std::logic_error` where one of them
  /// belongs to another application, and once `run` was called.
  template <component... Others>
  component_handle after(const component_handle<Others>&... others) const {
    (app_->set_after(index_, others.app_, others.index_), ...);
    return *this;
  }

  /// Abandons this component's stop after `span`, and earlier where the budget ends earlier. Without it the
  /// stop may take what is left of the budget, less a slice kept for each component that is stopped after it.
  component_handle stop_within(duration span) const {
    app_->set_stop_within(index_, span);
    return *this;
  }

  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

private:
  friend class application;
  template <component Other>
  friend class component_handle;

  component_handle(application& app, std::size_t index, T& object) noexcept
      : app_{&app}, index_{index}, object_{&object} {}

  application* app_;
  std::size_t index_;
  T* object_;
};

// Implementation

template <component T, class... Args>
requires std::constructible_from<T, Args...> component_handle<T> application::add(std::string name,
                                                                                  Args&&... args) {
  require_open("add('" + name + "')"); // before the constructor runs: it may well acquire something
  auto held = std::make_unique<detail::held_component<T>>(std::forward<Args>(args)...);
  T& object = held->object;
  return {*this, adopt(std::move(name), std::move(held)), object};
}

} // namespace lastcall
