// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The callers' side of a pool.
#include "process/pool_core.hpp"

#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/process/log_writer.hpp>
#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/code_address.hpp"
#include "sys/event_descriptor.hpp"
#include "sys/failure.hpp"
#include "sys/thread.hpp"
#include "wait/lock_around_waits.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>

namespace lastcall::detail {

namespace {

constexpr stop_plan quickly{stop_step::ask(std::chrono::milliseconds{500}),
                            stop_step::term(std::chrono::milliseconds{500}),
                            stop_step::kill(std::chrono::seconds{1})};

} // namespace

workers_core::workers_core(process_source& from, worker_options options, const worker_type& type,
                           byte_buffer arguments)
    : from_{from},
      options_{std::move(options)},
      type_{type},
      construct_{[&] {
        frame_head head;
        head.kind = frame_kind::construct;
        head.size = arguments.size() - sizeof head;
        std::memcpy(arguments.data(), &head, sizeof head);
        return std::move(arguments);
      }()},
      made_in_{(sys::prepare_incarnation(), sys::this_incarnation())} {
  if (options_.workers == 0 || options_.queue == 0 || options_.tries == 0)
    throw std::invalid_argument{"a pool needs at least one worker, room for one call, and one try"};
  if (construct_.size() - sizeof(frame_head) > options_.frame_limit)
    throw std::length_error{"the constructor's arguments are longer than the pool's frame_limit"};
  base_ = sys::image_of(&type, setup_.image, sizeof setup_.image);
  setup_.type = reinterpret_cast<std::uintptr_t>(&type) - base_;
  setup_.policy = static_cast<std::uint32_t>(options_.on_interrupt);
  setup_.manager = sys::getpid();
  setup_.orphan_grace_ns = options_.orphan_grace.count();
  setup_.frame_limit = options_.frame_limit;
  slots_.reserve(options_.workers);
  for (std::size_t i = 0; i < options_.workers; ++i)
    slots_.push_back(std::make_unique<worker_slot>(static_cast<int>(i), options_.frame_limit));
  idle_.reserve(slots_.size());
  watched_.reserve(1 + 3 * slots_.size());
  wake_fd_ = sys::make_event_descriptor();
  if (wake_fd_ < 0) sys::throw_failure(sys::call::eventfd, -wake_fd_, "a pool's wake-up");
}

workers_core::~workers_core() {
  if (wake_fd_ >= 0) sys::close_event_descriptor(wake_fd_);
}

void workers_core::start() {
  const int result = sys::start_deaf_thread(thread_, &run, this, "lc-pool");
  if (result < 0) sys::throw_failure(sys::call::thread_create, -result, "a pool's thread");
  has_thread_ = true;
  try {
    {
      const held lock{lock_};
      for (auto& slot : slots_) launch(*slot);
    }
    wake();
    auto phase = phase_.load(std::memory_order_acquire); // pairs with change
    for (; phase == static_cast<std::uint32_t>(pool_phase::starting);
         phase = phase_.load(std::memory_order_acquire))
      io::futex_wait(phase_, phase, deadline::never()); // the thread has deadlines for every worker
    if (phase == static_cast<std::uint32_t>(pool_phase::running)) return;
    const held lock{lock_};
    throw pool_error{pool_errc::start_failed, trouble_, trouble_end_};
  } catch (...) {
    stop(quickly, deadline::after(quickly.whole()));
    throw;
  }
}

void workers_core::wake() const noexcept { sys::raise_event(wake_fd_); }

void workers_core::change(pool_phase to) noexcept {
  phase_.store(static_cast<std::uint32_t>(to), std::memory_order_release); // pairs with those who wait for it
  wait::futex_wake_all(phase_);
}

void workers_core::fail(job& what, pool_errc code, const std::string& text,
                        std::optional<process_end> end) noexcept {
  try {
    what.reply->error = std::make_unique<pool_error>(code, text, end);
  } catch (...) {
    what.reply->no_memory = true;
  }
  settle(what);
}

void workers_core::fail_named(job& what, pool_errc code, const char* text) noexcept {
  try {
    fail(what, code, options_.name + text);
  } catch (...) {
    what.reply->no_memory = true;
    settle(what);
  }
}

void workers_core::settle(job& what) noexcept {
  what.reply->say();
  try {
    to_wake_.push_back(what.reply);
  } catch (...) {
    what.reply->wake();
  }
}

void workers_core::check_open() const {
  switch (static_cast<pool_phase>(phase_.load(std::memory_order_relaxed))) { // the lock is held
  case pool_phase::broken: throw pool_error{pool_errc::broken, trouble_, trouble_end_};
  case pool_phase::running:
    if (!closed_) return;
    [[fallthrough]];
  default: throw pool_error{pool_errc::stopped, options_.name + ": the pool has been stopped"};
  }
}

std::unique_ptr<job> workers_core::make_job(worker_method method, byte_buffer frame, deadline until) {
  frame_head head;
  head.kind = frame_kind::call;
  head.size = frame.size() - sizeof head;
  if (head.size > options_.frame_limit)
    throw std::length_error{options_.name + ": a call's arguments are longer than the pool's frame_limit"};
  const auto address = reinterpret_cast<std::uintptr_t>(method);
  if (!from_.same_addresses() &&
      std::find(checked_methods_.begin(), checked_methods_.end(), address) == checked_methods_.end()) {
    if (sys::image_of(reinterpret_cast<const void*>(address), nullptr, 0) != base_)
      throw std::logic_error{options_.name + ": a method's code lies in another library than its object's"};
    checked_methods_.push_back(address);
  }
  head.id = ++last_id_;
  head.method = address - base_;
  std::memcpy(frame.data(), &head, sizeof head);
  auto made = std::make_unique<job>();
  made->frame = std::move(frame);
  made->id = head.id;
  made->method = head.method;
  made->reply = std::make_shared<reply_state>();
  made->until = until;
  made->tries = options_.on_crash == on_crash::retry ? options_.tries : 1;
  return made;
}

std::shared_ptr<reply_state> workers_core::submit(worker_method method, byte_buffer frame, deadline until,
                                                  when_full full) {
  for (;;) {
    std::uint32_t seen = 0;
    {
      const held lock{lock_};
      check_open();
      if (!idle_.empty() && queue_.empty()) {
        auto made = make_job(method, std::move(frame), until);
        auto reply = made->reply;
        worker_slot& slot = *idle_.back();
        idle_.pop_back();
        ++calls_in_;
        slot.current = std::move(made);
        slot.phase = slot_phase::busy;
        slot.sent = 0;
        slot.dropped = false;
        send_some(slot);
        if (slot.sending || !until.is_never()) wake();
        return reply;
      }
      if (queue_.size() < options_.queue) {
        auto made = make_job(method, std::move(frame), until);
        auto reply = made->reply;
        queue_.push_back(std::move(made));
        ++calls_in_;
        if (!until.is_never()) {
          ++timed_;
          wake();
        }
        return reply;
      }
      seen = room_.load(std::memory_order_relaxed);
    }
    if (full == when_full::refuse) return nullptr;
    if (until.expired())
      throw pool_error{pool_errc::deadline, options_.name + ": no room in the queue in time"};
    io::futex_wait(room_, seen, until);
  }
}

std::vector<std::shared_ptr<reply_state>> workers_core::submit_to_all(worker_method method,
                                                                      byte_buffer frame) {
  std::vector<std::shared_ptr<reply_state>> replies;
  replies.reserve(slots_.size());
  const held lock{lock_};
  check_open();
  const auto body = frame.view().subspan(sizeof(frame_head));
  std::vector<std::unique_ptr<job>> jobs;
  auto copied = [&] {
    byte_buffer copy;
    copy.grow(sizeof(frame_head));
    copy.append(body.data(), body.size());
    return copy;
  };
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    jobs.push_back(make_job(method, copied(), deadline::never()));
    jobs.back()->broadcast = true;
    jobs.back()->tries = 1;
  }
  // All of them or none: memory may run out in between.
  std::size_t given = 0;
  try {
    for (; given < slots_.size(); ++given) slots_[given]->own.push_back(std::move(jobs[given]));
    const auto& last = *slots_.front()->own.back();
    if (options_.memory == broadcast_memory::last_of_each)
      remembered_.insert_or_assign(last.method, std::make_shared<byte_buffer>(copied()));
  } catch (...) {
    while (given > 0) slots_[--given]->own.pop_back();
    throw;
  }
  for (auto& each : slots_) {
    replies.push_back(each->own.back()->reply);
    if (each->phase != slot_phase::idle) continue;
    std::erase(idle_, each.get());
    next_job(*each);
  }
  wake();
  return replies;
}

workers_report workers_core::stop(const stop_plan& plan, deadline until) noexcept {
  // What the thread may need beyond the plan on a busy machine.
  constexpr duration allowance = std::chrono::milliseconds{500};
  {
    const held lock{lock_};
    if (!began_stop_ &&
        phase_.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(pool_phase::over)) {
      stop_plan_ = plan;
      stop_until_ = until;
      closed_ = true;
      change(pool_phase::stopping);
      room_.fetch_add(1, std::memory_order_release); // pairs with the look of those who wait for room
      wait::futex_wake_all(room_);
      wake();
    }
  }
  deadline last = until.is_never() ? until : deadline::after(until.remaining() + allowance);
  wait::lock_set_aside aside;
  for (;;) {
    const auto phase = phase_.load(std::memory_order_acquire); // pairs with change
    if (phase == static_cast<std::uint32_t>(pool_phase::over)) break;
    if (wait::futex_wait(phase_, phase, last) == wait::futex_result::timed_out) break;
  }
  const held lock{lock_};
  const bool over = phase_.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(pool_phase::over);
  if (over && has_thread_) {
    has_thread_ = !sys::join(thread_, std::chrono::nanoseconds{std::chrono::seconds{2}}.count());
  }
  report_.in_time = over && report_.left_behind.empty();
  try {
    return report_;
  } catch (...) {
    workers_report short_of_memory;
    short_of_memory.in_time = report_.in_time;
    return short_of_memory;
  }
}

workers_report workers_core::drain(deadline until) noexcept {
  {
    const held lock{lock_};
    closed_ = true;
  }
  for (;;) {
    std::uint32_t seen = 0;
    {
      const held lock{lock_};
      if (calls_in_ == 0 ||
          phase_.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(pool_phase::running))
        break;
      seen = room_.load(std::memory_order_relaxed);
    }
    wait::lock_set_aside aside;
    if (wait::futex_wait(room_, seen, until) == wait::futex_result::timed_out) break;
  }
  return stop(options_.plan, until);
}

std::size_t workers_core::waiting() noexcept {
  const held lock{lock_};
  return queue_.size();
}

std::size_t workers_core::ready() noexcept {
  const held lock{lock_};
  return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) {
    return slot->phase == slot_phase::idle || slot->phase == slot_phase::busy;
  }));
}

std::vector<pid_t> workers_core::pids() {
  const held lock{lock_};
  std::vector<pid_t> all;
  for (const auto& slot : slots_) all.push_back(slot->process != nullptr ? slot->process->pid() : 0);
  return all;
}

void workers_core::signal_worker(std::size_t worker, int signal) noexcept {
  const held lock{lock_};
  if (worker < slots_.size() && slots_[worker]->process != nullptr) slots_[worker]->process->signal(signal);
}

// What is kept can be found, so that a search for leaks sees that it is meant.
void workers_core::keep(std::shared_ptr<workers_core> it) noexcept {
  static constinit std::atomic<workers_core*> kept{nullptr};
  workers_core& core = *it;
  core.itself_ = std::move(it);
  core.kept_before_ = kept.load(std::memory_order_relaxed);
  // Relaxed: nobody reads the list.
  while (!kept.compare_exchange_weak(core.kept_before_, &core, std::memory_order_relaxed)) {
  }
}

// --- pool_base ---

pool_base::pool_base(process_source& from, worker_options options, const worker_type& type,
                     byte_buffer arguments)
    : core_{std::make_shared<workers_core>(from, std::move(options), type, std::move(arguments))} {
  try {
    core_->start();
  } catch (...) {
    if (core_->has_thread()) workers_core::keep(core_);
    throw;
  }
}

pool_base::~pool_base() {
  // A thread that does not end, and a process that was forked, still use it, or seem to.
  if (core_->foreign() || !stop().in_time) workers_core::keep(core_);
}

workers_report pool_base::stop(deadline until) noexcept { return core_->stop(core_->options().plan, until); }
workers_report pool_base::stop() noexcept { return stop(deadline::after(core_->options().plan.whole())); }
workers_report pool_base::drain(deadline until) noexcept { return core_->drain(until); }
std::size_t pool_base::waiting() const noexcept { return core_->waiting(); }
std::size_t pool_base::ready() const noexcept { return core_->ready(); }
std::vector<pid_t> pool_base::pids() const { return core_->pids(); }
void pool_base::signal_worker(std::size_t worker, int signal) noexcept {
  core_->signal_worker(worker, signal);
}

byte_buffer pool_base::frame() {
  byte_buffer bytes;
  bytes.grow(sizeof(frame_head));
  return bytes;
}

std::shared_ptr<reply_state> pool_base::submit(worker_method method, byte_buffer frame, deadline until,
                                               when_full full) {
  return core_->submit(method, std::move(frame), until, full);
}

std::vector<std::shared_ptr<reply_state>> pool_base::submit_to_all(worker_method method, byte_buffer frame) {
  return core_->submit_to_all(method, std::move(frame));
}

} // namespace lastcall::detail
