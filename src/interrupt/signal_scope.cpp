// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/signal_scope.hpp>

#include <lastcall/sys/config.hpp>

#include "interrupt/dispositions.hpp"
#include "interrupt/signal_core.hpp"
#include "sys/calls.hpp"
#include "sys/failure.hpp"

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

signal_bits bits_of(const std::vector<int>& signals) {
  signal_bits bits = 0;
  for (const int signal : signals) {
    if (!detail::can_be_handled(signal))
      throw std::invalid_argument{"signal_scope: " + std::string{signal_name(signal)} + " (" +
                                  std::to_string(signal) + ") cannot be handled"};
    bits |= bit_of(signal);
  }
  return bits;
}

template <class Fn>
void for_each_signal(signal_bits bits, Fn&& fn) {
  for (int signal = 1; signal < signal_limit; ++signal)
    if ((bits & bit_of(signal)) != 0) fn(signal);
}

void give_back_all(signal_bits bits) noexcept {
  for_each_signal(bits, [](int signal) { detail::give_back(signal); });
}

void install_all(signal_bits bits, inherited_ignore ignored) {
  sigset_t together;
  sigemptyset(&together);
  for_each_signal(bits, [&](int signal) { sigaddset(&together, signal); });
  signal_bits done = 0;
  try {
    for_each_signal(bits, [&](int signal) {
      bool installed = false;
      const int error = detail::install(signal, together, ignored == inherited_ignore::keep, installed);
      if (error < 0)
        sys::throw_failure(sys::call::rt_sigaction, -error,
                           ("for " + std::string{signal_name(signal)}).c_str());
      if (installed) done |= bit_of(signal);
    });
  } catch (...) {
    give_back_all(done);
    throw;
  }
  // Signals that stay ignored are none of the handler's: nothing is delivered, interrupt_main passes by.
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
  detail::here().due.store(0, std::memory_order_relaxed); // no handler points here
  detail::here().core = core;
}

} // namespace

signal_scope::signal_scope(signal_options options) {
  const signal_bits stopping = bits_of(options.signals);
  const signal_bits listening = bits_of(options.listen);
  if ((stopping & listening) != 0)
    throw std::invalid_argument{"signal_scope: a signal is named in `signals` and in `listen`"};

  process_claim claim;
  core_ = std::make_shared<detail::signal_core>(options, detail::here());
  become_owner(core_.get());
  detail::open_custody({&detail::here().due, stopping, listening, options.ladder, options.coalesce});
  try {
    core_->start_herald();
    try {
      install_all(stopping | listening, options.ignored);
    } catch (...) {
      detail::close_custody(deadline::never());
      auto until = deadline::after(std::chrono::seconds{2});
      core_->end_herald(until);
      throw;
    }
  } catch (...) {
    detail::close_custody(deadline::never());
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
  const pid_t here = sys::getpid();
  if (core.process() != here) {
    // In a forked child. The herald and the other threads do not exist here, and what they held locked
    // stays locked: nothing of the core may be asked.
    // (It is not freed here either: the herald's share in it was copied with the memory.) A scope the child
    // has made itself is left alone.
    if (the_custody.pid.load(std::memory_order_relaxed) != here && detail::claim_process())
      detail::release_process();
    if (detail::here().core == &core) become_owner(nullptr);
    return end;
  }
  LASTCALL_ASSERT(detail::here().core == &core,
                  "a signal_scope is closed or destroyed on another thread than the one that made it");
  give_back_all(the_custody.handled.load(std::memory_order_relaxed));
  const bool handlers_out = detail::close_custody(until);
  end.herald_ended = core.end_herald(until);
  end.dropped_posts = core.retire(handlers_out);
  become_owner(nullptr);
  detail::release_process();
  return end;
}

scope_end signal_scope::close(deadline until) noexcept {
  if (closed_) return {};
  scope_end end = shut(until);
  if (core_->process() != sys::getpid()) return end;
  try {
    end.pending = core_->pending();
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
  return core_->add(std::make_shared<detail::listener>(signal, std::move(fn)));
}

subscription signal_scope::on_ladder(std::function<void(ladder_step, const request&)> fn) {
  return core_->add(std::make_shared<detail::listener>(std::move(fn)));
}

ladder_step signal_scope::step() const noexcept { return core_->step(); }

bool signal_scope::post(std::function<void()> fn) { return core_->post(std::move(fn)); }

int signal_scope::wakeup_fd() { return core_->wakeup_fd(); }

void signal_scope::request_stop(std::string_view text, cause what) noexcept {
  request asked;
  asked.cause = what;
  asked.sender_pid = sys::getpid();
  asked.sender_uid = sys::getuid();
  asked.when = clock::now();
  asked.text = text;
  core_->submit(asked);
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
  if (the_custody.open.load(std::memory_order_seq_cst) &&
      the_custody.pid.load(std::memory_order_relaxed) == sys::getpid() &&
      (the_custody.handled.load(std::memory_order_relaxed) & bit_of(signal)) != 0)
    detail::take_in(signal, sys::getpid(), sys::getuid());
  the_custody.inside.fetch_sub(1, std::memory_order_release);
}

} // namespace lastcall
