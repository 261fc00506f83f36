// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/runtime_core.hpp"

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/runtime/errors.hpp>
#include <lastcall/runtime/immortal.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "interrupt/runtime_hooks.hpp"
#include "runtime/big_lock_gate.hpp"
#include "runtime/end_of_main.hpp"
#include "runtime/exempt.hpp"
#include "runtime/exit_hooks.hpp"
#include "runtime/exit_place.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/finalization.hpp"
#include "runtime/last_words.hpp"
#include "runtime/standard_output.hpp"
#include "runtime/thread_registry.hpp"
#include "runtime/touch.hpp"
#include "sys/calls.hpp"
#include "sys/failure.hpp"
#include "sys/process_hooks.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <initializer_list>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lastcall::detail {

namespace {

constexpr duration patience = std::chrono::seconds{1};
/// What a thread without anything left to do has to come to its end, also past the deadline.
constexpr duration last_steps = std::chrono::milliseconds{100};

constinit const runtime_hooks the_hooks{[](std::uint32_t due, at_point how) {
  if ((due & runtime_over) != 0) how == at_point::may_throw ? touch_slow() : touch_slow_noexcept();
  if ((due & lock_wanted) != 0) hand_big_lock_over(how);
}};

} // namespace

// Called inside the handler of what left the thread's function.
void thread_failed(const thread_record& whose) noexcept {
  const std::string why = failure_text();
  std::string failing_hook;
  try {
    if (const auto hook = the_core().on_thread_failure())
      return hook(whose.name.view(), std::current_exception());
  } catch (...) {
    failing_hook = failure_text();
  }
  const auto say = [](std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) tell_standard_error(part, patience);
  };
  say({"lastcall: thread \"", whose.name.view(), "\" failed: ", why, "\n"});
  if (!failing_hook.empty()) say({"lastcall: and so did on_thread_failure: ", failing_hook, "\n"});
}

runtime_core& the_core() noexcept {
  static immortal<runtime_core> core;
  return *core;
}

std::error_code runtime_core::refusal() const noexcept {
  switch (phase()) {
  case runtime_phase::joining:
  case runtime_phase::ending: return runtime_errc::ending;
  default: return generation() == 0 ? runtime_errc::no_runtime : runtime_errc::over;
  }
}

std::uint64_t runtime_core::live_generation() const noexcept {
  const auto now = phase();
  return now == runtime_phase::running || now == runtime_phase::joining || now == runtime_phase::ending
             ? generation()
             : 0;
}

std::uint64_t runtime_core::open(runtime_options options) {
  // All that can fail comes before anything is changed.
  if (const int error = prepare_runtime_for_fork(); error < 0)
    sys::throw_failure(sys::call::at_fork, -error, "to notice a fork");
  if (const int error = the_registry().prepare(); error < 0)
    sys::throw_failure(sys::call::thread_key, -error, "to notice the ends of threads");
  if (const int error = prepare_big_lock(); error < 0)
    sys::throw_failure(sys::call::thread_key, -error, "to notice the ends of threads that hold the big lock");
  prepare_exit_hooks();
  stay_first_at_exit();
  stop_source stop, for_child, over;
  over.request_stop({.cause = cause::call, .text = "the runtime has been finalized"});
  finalization_report blank;
  auto work = std::make_unique<errand>();
  auto told = std::make_unique<told_report>();
  told->hook = std::move(options.on_report);
  blank.steps.reserve(static_cast<std::size_t>(finalization_step::last_words_again) + 1);
  const std::scoped_lock guard{lock_};
  if (phase() != runtime_phase::none) throw std::system_error{runtime_errc::live};
  options_ = std::move(options);
  stop_ = std::move(stop);
  for_child_ = std::move(for_child);
  if (!over_) over_ = std::move(over);
  blank_report_ = std::move(blank);
  errand_ = std::move(work);
  told_ = std::move(told);
  token_taken_.store(false, std::memory_order_relaxed); // set and looked at under the lock, or after it
  hurried_.store(0, std::memory_order_relaxed);
  hand_exits_.store(nullptr, std::memory_order_relaxed);
  const std::uint64_t next = generation() + 1;
  generation_.store(next, std::memory_order_release);
  begin_last_words_of(options_, hurried_);
  note_runtime_of_main(next);
  at_exit_.open(next);
  finalizers_.open(next);
  states_.open(next);
  open_big_lock(next, options_.interval);
  take_terminate_handler();
  the_runtime_hooks.store(&the_hooks, std::memory_order_release); // pairs with the acquire at checkpoints
  phase_.store(runtime_phase::running, std::memory_order_release);
  return next;
}

void runtime_core::enter(runtime_phase next) noexcept {
  {
    const std::scoped_lock guard{lock_};
    phase_.store(next, std::memory_order_release);
  }
  changed_.ring();
}

bool runtime_core::begin_finalization(std::uint64_t generation, deadline until) noexcept {
  // Whoever finalizes does not wait for a thread that waits for the end here.
  struct at_rest {
    std::atomic<bool>* flag = nullptr;
    void begin() {
      flag = &this_record->awaits_end;
      flag->store(true, std::memory_order_relaxed);
      the_registry().changed().ring();
    }
    ~at_rest() {
      if (flag != nullptr) flag->store(false, std::memory_order_relaxed);
    }
  } mine;
  for (;;) {
    {
      const std::scoped_lock guard{lock_};
      if (this->generation() != generation || phase() == runtime_phase::none) return false;
      if (phase() == runtime_phase::running) {
        finalizing_.store(sys::gettid(), std::memory_order_relaxed);
        phase_.store(runtime_phase::joining, std::memory_order_release);
        return true;
      }
      // From inside, it would wait for itself.
      if (my_part.finalizes) return false;
    }
    if (my_part.hand != nullptr) return false;
    if (this_record != nullptr && this_record->generation == generation) mine.begin();
    const bool over = changed_.wait_until(
        until, [&] { return this->generation() != generation || phase() == runtime_phase::none; });
    if (!over) return false;
  }
}

finalization_report runtime_core::finalize(std::uint64_t generation, deadline until) noexcept {
  const shield whole;
  finalization_report report;
  if (!begin_finalization(generation, until)) {
    report.generation = generation;
    report.done_before = true;
    return report;
  }
  my_part.finalizes = my_part.exempt = true;
  finalization steps{*this, options_, generation, until};
  report = steps.run();
  was_late_.store(report.was_late(), std::memory_order_relaxed);
  report = steps.tell(std::move(report));
  give_terminate_handler_back();
  std::unique_ptr<crew> hands;
  std::unique_ptr<told_report> told;
  runtime_options gone;
  {
    const std::scoped_lock guard{lock_};
    remember_for_exit(options_);
    gone = std::exchange(options_, {});
    hands = std::move(hands_);
    told = std::move(told_);
    finalizing_.store(0, std::memory_order_relaxed);
    phase_.store(runtime_phase::none, std::memory_order_release);
  }
  my_part.finalizes = false;
  changed_.ring();
  stay_first_at_exit();
  if (hands) {
    lost_hands_.fetch_add(hands->lost(), std::memory_order_relaxed);
    hands->end(std::clamp<duration>(earlier(until, hurried()).remaining(), last_steps, stopper::patience));
  }
  return report;
}

finalization_report runtime_core::finalize(std::uint64_t generation) noexcept {
  duration budget{};
  {
    const std::scoped_lock guard{lock_};
    budget = options_.budget;
  }
  return finalize(generation, deadline::after(budget));
}

void runtime_core::hurry(deadline until) noexcept {
  // Without a runtime before: nothing to hurry, and nothing to construct in a handler.
  if (the_runtime_hooks.load(std::memory_order_acquire) == nullptr) return;
  // Relaxed: who waits looks again after the ring.
  hurried_.store(until.is_never() ? 0 : until.when().time_since_epoch().count(), std::memory_order_relaxed);
  changed_.ring();
  the_registry().changed().ring();
}

deadline runtime_core::hurried() const noexcept {
  const std::int64_t at = hurried_.load(std::memory_order_relaxed); // rung after it was set
  return at == 0 ? deadline::never() : deadline::at(time_point{duration{at}});
}

void runtime_core::lay_hand_down() noexcept {
  const errand* const work = std::exchange(my_part.hand, nullptr);
  if (work == nullptr) return;
  hand_exits_.store(work, std::memory_order_relaxed); // rung after it was set
  changed_.ring();
}

void runtime_core::start(const std::shared_ptr<thread_record>& record) {
  // The lock is kept during the start: who joins afterwards finds the thread in the registry.
  const std::scoped_lock guard{lock_};
  const auto now = phase();
  const bool one_of_the_joined = this_record != nullptr && this_record->kind == thread_kind::joined &&
                                 this_record->generation == generation();
  if (now == runtime_phase::none || now == runtime_phase::ending ||
      (now == runtime_phase::joining && (!one_of_the_joined || record->kind == thread_kind::daemon)))
    throw std::system_error{refusal(), std::string{"the thread \""} + std::string{record->name.view()} + '"'};
  if (record->kind == thread_kind::daemon && options_.daemons == daemon_policy::forbidden)
    throw std::system_error{runtime_errc::forbidden, std::string{record->name.view()}};
  if (!hands_) hands_ = std::make_unique<crew>(changed_);
  record->generation = generation();
  if (now == runtime_phase::joining) // while nobody listens to its token: whoever finalizes asks no more
    record->stop.request_stop({.cause = cause::call, .text = "the runtime is finalized"});
  the_registry().start(record);
}

void runtime_core::want_hand() {
  const std::scoped_lock guard{lock_};
  if (phase() == runtime_phase::running && !hands_) hands_ = std::make_unique<crew>(changed_);
}

stop_token runtime_core::token(std::uint64_t generation) {
  const std::scoped_lock guard{lock_};
  if (this->generation() == generation) {
    token_taken_.store(true, std::memory_order_relaxed);
    return stop_->token();
  }
  return over_->token(); // whoever asks has had a runtime
}

bool runtime_core::request_stop(std::uint64_t generation, reason why) noexcept {
  std::optional<stop_source> stop; // its callbacks run without the lock
  {
    const std::scoped_lock guard{lock_};
    if (this->generation() != generation || phase() == runtime_phase::none) return false;
    stop = stop_;
  }
  return stop->request_stop(why);
}

std::function<void(std::string_view, std::exception_ptr)> runtime_core::on_thread_failure() {
  const std::scoped_lock guard{lock_};
  return options_
      .on_thread_failure; // and nothing else: a finalization reads and takes the rest without the lock
}

void runtime_core::before_fork() noexcept {
  lock_.lock();
  at_exit_.before_fork();
  finalizers_.before_fork();
  states_.before_fork();
  operations_.before_fork();
}

void runtime_core::in_parent() noexcept {
  operations_.after_fork();
  states_.after_fork();
  finalizers_.after_fork();
  at_exit_.after_fork();
  lock_.unlock();
}

void runtime_core::in_child() noexcept {
  if (stop_) {
    // Its callbacks are those of threads that do not exist here, on stacks that others will get.
    const auto why = stop_->token().why();
    static_cast<void>(new (std::nothrow) stop_source{*std::exchange(stop_, for_child_)});
    if (why) stop_->request_stop(*why);
    try {
      for_child_ = stop_source{};
    } catch (...) { // a child of this child shares it
    }
  }
  operations_.in_child();
  states_.in_child();
  finalizers_.after_fork();
  at_exit_.after_fork();
  static_cast<void>(hands_.release());  // its thread is the parent's
  static_cast<void>(errand_.release()); // and so is what that may be doing
  if (told_ && !my_part.finalizes && phase() == runtime_phase::ending) {
    // A hand may be about to tell, also the one that forks.
    const told_report* const used = told_.release();
    told_.reset(new (std::nothrow) told_report);
    try {
      if (told_) told_->hook = used->hook;
    } catch (...) { // nobody is told
    }
  }
  my_part.hand = nullptr;
  const bool ends = phase() == runtime_phase::joining || phase() == runtime_phase::ending;
  // Another thread was finalizing. Here nobody is: the child may.
  if (ends && finalizing_.load(std::memory_order_relaxed) != 0 && !my_part.finalizes)
    phase_.store(runtime_phase::running, std::memory_order_relaxed);
  if (my_part.finalizes) finalizing_.store(sys::gettid(), std::memory_order_relaxed);
  lock_.unlock();
}

} // namespace lastcall::detail
