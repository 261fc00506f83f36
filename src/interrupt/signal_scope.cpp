// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/signal_scope.hpp>

#include <lastcall/sys/config.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "interrupt/dispositions.hpp"
#include "interrupt/fork.hpp"
#include "interrupt/option_check.hpp"
#include "interrupt/signal_core.hpp"
#include "sys/calls.hpp"
#include "sys/failure.hpp"
#include "wait/nudge.hpp"
#include "wait/nudge_signal.hpp"

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace lastcall {

using detail::bit_of;
using detail::signal_bits;
using detail::signal_limit;
using detail::the_custody;

namespace {

template <class Fn>
void for_each_signal(signal_bits bits, Fn&& fn) {
  for (int signal = 1; signal < signal_limit; ++signal)
    if ((bits & bit_of(signal)) != 0) fn(signal);
}

void give_back_all(signal_bits bits) noexcept {
  for_each_signal(bits, [](int signal) { detail::give_back(signal); });
}

void install_all(const detail::taking_terms& terms) {
  signal_bits done = 0;
  try {
    for_each_signal(terms.together, [&](int signal) {
      detail::taking result{};
      if (const int error = detail::install(signal, terms, result); error < 0)
        sys::throw_failure(sys::call::rt_sigaction, -error,
                           ("for " + std::string{signal_name(signal)}).c_str());
      if (result == detail::taking::installed) done |= bit_of(signal);
    });
  } catch (...) {
    give_back_all(done);
    throw;
  }
  // Signals that stay as they were are none of the handler's: nothing is delivered, interrupt_main passes by.
  the_custody.handled.store(done, std::memory_order_relaxed);
  the_custody.stopping.fetch_and(done, std::memory_order_relaxed);
}

struct process_claim {
  process_claim() {
    if (!detail::claim_process())
      throw std::logic_error{"signal_scope: one is live already in this process; signals have one taker, and "
                             "other parts of the program subscribe to it"};
  }
  ~process_claim() {
    if (!kept) detail::release_process();
  }
  process_claim(const process_claim&) = delete;
  process_claim& operator=(const process_claim&) = delete;
  bool kept = false;
};

void become_owner(detail::signal_core* core) noexcept {
  // Relaxed: no handler points here.
  detail::here().due.fetch_and(~detail::bits_of_scope, std::memory_order_relaxed);
  detail::here().core = core;
}

} // namespace

signal_scope::signal_scope(signal_options options) {
  const auto [stopping, listening] = detail::check(options);
  detail::check_alternate_stack();

  if (const int error = detail::prepare_for_fork(); error < 0)
    sys::throw_failure(sys::call::at_fork, -error, "to notice a fork");
  process_claim claim;
  // Now, and not in the first call that waits: with the herald there, the kernel may take 20 ms for it.
  wait::asymmetric_barrier::light_is_free();
  if (options.nudge_signal != 0) wait::prefer_nudge_signal(options.nudge_signal);
  core_ = std::make_shared<detail::signal_core>(options, detail::here());
  become_owner(core_.get());
  detail::open_custody({&detail::here(), &wait::seat_here(), stopping, listening, options.ladder,
                        options.coalesce, options.found, options.log != nullptr});
  try {
    core_->start_herald();
    try {
      install_all({stopping | listening, options.ignored, options.found});
    } catch (...) {
      detail::close_custody(deadline::never());
      auto until = deadline::after(std::chrono::seconds{2});
      core_->end_herald(until);
      throw;
    }
  } catch (...) {
    detail::close_custody(deadline::never());
    core_->hand_over();
    core_->retire(true);
    become_owner(nullptr);
    throw;
  }
  asked_for_ = stopping | listening;
  claim.kept = true;
}

signal_scope::~signal_scope() {
  if (core_ != nullptr) shut(deadline::after(std::chrono::seconds{2}));
}

// Without allocation: it is the destructor's way, too.
scope_end signal_scope::shut(deadline until) noexcept {
  scope_end end;
  detail::signal_core& core = *core_;
  if (std::exchange(closed_, true)) return end;
  if (core.process() != sys::this_incarnation()) {
    // In a forked child. The herald and the other threads do not exist here, and what they held locked
    // stays locked: nothing of the core may be asked.
    // (It is not freed here either: the herald's share in it was copied with the memory.) A scope the child
    // has made itself is left alone.
    if (!detail::is_of_this_process() && detail::claim_process()) detail::release_process();
    if (detail::here().core == &core) become_owner(nullptr);
    return end;
  }
  LASTCALL_ASSERT(detail::here().core == &core,
                  "a signal_scope is closed or destroyed on another thread than the one that made it");
  core.run_leftovers(until);
  give_back_all(the_custody.handled.load(std::memory_order_relaxed));
  const bool handlers_out = detail::close_custody(until);
  end.herald_ended = core.end_herald(until);
  core.end_feed();
  end.dropped_posts = core.retire(handlers_out);
  core.note_dropped(end.dropped_posts);
  become_owner(nullptr);
  if (handlers_out) wait::leave_seat();
  detail::release_process();
  return end;
}

scope_end signal_scope::close(deadline until) noexcept {
  if (closed_) return {};
  scope_end end = shut(until);
  if (core_->process() != sys::this_incarnation()) return end;
  try {
    end.pending = core_->pending();
    end.unheard = core_->unheard();
  } catch (const std::bad_alloc&) {
    // The scope is closed, and how the herald ended must not get lost over a list.
  }
  return end;
}

stop_token signal_scope::token() const noexcept { return core_->token(); }

std::optional<request> signal_scope::why() const noexcept { return core_->why(); }

std::vector<request> signal_scope::requests() const { return core_->requests(); }

std::vector<request> signal_scope::acknowledge() {
  LASTCALL_ASSERT(closed_ || detail::here().core == core_.get(),
                  "acknowledge on another thread than the one that made the signal_scope");
  return closed_ ? std::vector<request>{} : core_->acknowledge();
}

subscription signal_scope::subscribe(int signal, std::function<void(const request&)> fn) {
  if (signal < 1 || signal >= signal_limit || (asked_for_ & bit_of(signal)) == 0)
    throw std::invalid_argument{"subscribe: " + std::string{signal_name(signal)} +
                                " is not among the signals of this signal_scope"};
  if (!fn) throw std::invalid_argument{"subscribe: the function is empty"};
  return core_->add(std::make_shared<detail::listener>(signal, std::move(fn)));
}

subscription signal_scope::on_ladder(std::function<void(ladder_step, const request&)> fn) {
  if (!fn) throw std::invalid_argument{"on_ladder: the function is empty"};
  return core_->add(std::make_shared<detail::listener>(std::move(fn)));
}

subscription signal_scope::on_delayed(std::function<void(const request&)> fn) {
  if (!fn) throw std::invalid_argument{"on_delayed: the function is empty"};
  return core_->add(std::make_shared<detail::listener>(detail::listener::of_delays, std::move(fn)));
}

ladder_step signal_scope::step() const noexcept { return core_->step(); }

bool signal_scope::post(std::function<void()> fn) {
  if (!fn) throw std::invalid_argument{"post: the function is empty"};
  return core_->post(std::move(fn));
}

int signal_scope::wakeup_fd() { return core_->wakeup_fd(); }

number_feed signal_scope::forward_numbers(int fd, std::function<void(std::error_code)> on_broken) {
  return core_->forward(fd, std::move(on_broken));
}

bool signal_scope::request_stop(std::string_view text, cause what) noexcept {
  request asked;
  asked.cause = what;
  asked.sender_pid = sys::getpid();
  asked.sender_uid = sys::getuid();
  asked.when = clock::now();
  asked.text = text;
  return core_->submit(asked);
}

bool signal_scope::handles(int signal) const noexcept {
  return !closed_ && signal > 0 && signal < signal_limit && core_->process() == sys::this_incarnation() &&
         (the_custody.handled.load(std::memory_order_relaxed) & bit_of(signal)) != 0;
}

std::uint64_t signal_scope::delivered(int signal) const noexcept {
  return signal < 1 || signal >= signal_limit ? 0 : core_->delivered(signal);
}

std::uint64_t signal_scope::delivered() const noexcept {
  std::uint64_t sum = 0;
  for (int signal = 1; signal < signal_limit; ++signal) sum += core_->delivered(signal);
  return sum;
}

std::uint64_t signal_scope::lost() const noexcept { return core_->lost(); }

void interrupt_main(int signal) {
  if (signal < 1 || signal > SIGRTMAX)
    throw std::invalid_argument{"interrupt_main: " + std::to_string(signal) + " is no signal"};
  // As the handler does, so that a scope does not close in the middle; orderings as there.
  the_custody.inside.fetch_add(1, std::memory_order_seq_cst);
  if (the_custody.open.load(std::memory_order_seq_cst) && detail::is_of_this_process() &&
      (the_custody.handled.load(std::memory_order_relaxed) & bit_of(signal)) != 0)
    detail::take_in(signal, sys::getpid(), sys::getuid());
  the_custody.inside.fetch_sub(1, std::memory_order_release);
}

} // namespace lastcall
