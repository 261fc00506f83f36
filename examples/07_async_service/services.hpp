// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/lifecycle/context.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/task.hpp>
#include <lastcall/trace/timeline.hpp>
#include <lastcall/wait/clock.hpp>

#include <optional>

/// What the services have in common.
struct surroundings {
  lastcall::timeline& log;
  lastcall::duration pace; ///< how long a start, a stop, an update takes
};

/// Threads for heavy work, as an ordinary component: its stop waits for what runs, and asks it to stop when
/// it has to hurry.
class workers {
public:
  void start();
  void stop(lastcall::context& at);
  lastcall::thread_pool& pool() { return *pool_; }

private:
  std::optional<lastcall::thread_pool> pool_;
};

/// An asynchronous service over those threads: it has something computed all the time.
class calculator {
public:
  calculator(lastcall::loop& in, surroundings around, workers& on);
  lastcall::task<> start();
  lastcall::task<> stop(lastcall::context& at);

private:
  lastcall::task<> calculate_on_and_on();
  surroundings around_;
  workers& on_;
  lastcall::nursery tasks_;
  int done_ = 0;
};

/// What a stop means to an update that is under way.
enum class update_kind {
  shielded, ///< it is finished first
  plain,    ///< it is cut in the middle, and takes back what it has done
  failing   ///< each fails; the loop's exception handler is told, and the next one is made all the same
};

/// An asynchronous service with a periodic task.
class updater {
public:
  updater(lastcall::loop& in, surroundings around, update_kind kind);
  lastcall::task<> start();
  lastcall::task<> stop();

private:
  lastcall::task<> update_on_and_on();
  lastcall::task<> update();
  surroundings around_;
  update_kind kind_;
  lastcall::nursery tasks_;
};
