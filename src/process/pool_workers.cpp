// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A pool's workers, one by one: from the order for a process to its end. The lock is held throughout.
#include <lastcall/process/cgroup.hpp>
#include <lastcall/process/log_writer.hpp>
#include <lastcall/wait/futex.hpp>

#include "process/pool_core.hpp"
#include "runtime/duration_text.hpp"
#include "sys/channel.hpp"
#include "sys/event_descriptor.hpp"
#include "sys/failure.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lastcall::detail {

namespace {

constexpr stop_plan at_once{stop_step::kill(std::chrono::seconds{1})};
constexpr stop_plan soon{stop_step::ask(std::chrono::seconds{1}), stop_step::kill(std::chrono::seconds{1})};
constexpr std::size_t channel_room = 4UL * 1024 * 1024;

} // namespace

void workers_core::launch(worker_slot& slot) {
  int work[2], life[2];
  if (const int result = sys::make_channel(sys::channel_kind::stream, work); result < 0)
    sys::throw_failure(sys::call::socketpair, -result, "a worker's calls");
  slot.work = raw_fd::own(work[0]);
  const raw_fd their_work = raw_fd::own(work[1]);
  if (const int result = sys::make_channel(sys::channel_kind::packet, life); result < 0)
    sys::throw_failure(sys::call::socketpair, -result, "a worker's lifeline");
  slot.life = raw_fd::own(life[0]);
  const raw_fd their_life = raw_fd::own(life[1]);
  sys::widen_channel(work[0], channel_room);
  sys::widen_channel(work[1], channel_room);
  std::array<int, 4> fds{their_work.number(), their_life.number(), -1, -1};
  std::size_t count = 2;
  if (options_.log != nullptr) fds[count++] = options_.log->number();
  if (options_.inside != nullptr) fds[count++] = options_.inside->entrance();
  setup_.enters = options_.inside != nullptr ? 1 : 0;
  setup_.index = slot.index;
  slot.inbox.begin_anew();
  slot.process = from_.launch(setup_, {fds.data(), count});
  slot.phase = slot_phase::bootstrapping;
  slot.due = deadline::after(options_.bootstrap_within);
  slot.doomed = slot.stop_sent = slot.dropped = false;
  slot.trouble.clear();
  slot.sent = 0;
  slot.sending = true; // of the frame that makes the object
  send_some(slot);
}

void workers_core::close_slot(worker_slot& slot) noexcept {
  slot.work = {};
  slot.life = {};
  slot.process.reset();
  slot.phase = slot_phase::none;
  slot.due = deadline::never();
  slot.doomed = slot.sending = false;
}

// Sends what is in hand: the frame of the constructor until the worker has been started, that of the call
// after.
void workers_core::send_some(worker_slot& slot) noexcept {
  const byte_buffer& frame = slot.current != nullptr ? slot.current->frame : construct_;
  slot.sending = true;
  while (slot.sent < frame.size()) {
    const auto left = frame.view().subspan(slot.sent);
    const sys::piece bytes{left.data(), left.size()};
    const auto sent = sys::send_now(slot.work.number(), {&bytes, 1});
    if (sent == -EINTR) continue;
    if (sent == -EAGAIN) return;
    if (sent == -EPIPE || sent == -ECONNRESET) break; // it has ended, which is seen elsewhere
    if (sent < 0) {                                   // it would wait for the rest for ever
      broken_channel(slot, sys::call::sendmsg, static_cast<int>(-sent));
      break;
    }
    slot.sent += static_cast<std::size_t>(sent);
  }
  slot.sending = false;
  if (began_stop_ && slot.current == nullptr) send_stop(slot);
}

void workers_core::broken_channel(worker_slot& slot, sys::call which, int error) noexcept {
  if (slot.trouble.empty()) {
    try {
      slot.trouble.append(sys::name_of(which)).append(": ").append(std::system_category().message(error));
    } catch (...) {
    }
  }
  doom(slot, at_once, deadline::never(), name_of(frame_fault::broken));
  wake(); // here may be a caller, and the thread asleep
}

void workers_core::send_stop(worker_slot& slot) noexcept {
  if (slot.sending || slot.current != nullptr || std::exchange(slot.stop_sent, true)) return;
  frame_head head;
  head.kind = frame_kind::stop;
  const sys::piece bytes{&head, sizeof head};
  sys::send_now(slot.work.number(), {&bytes, 1}); // there is room: nothing else is in the channel
}

void workers_core::next_job(worker_slot& slot) noexcept {
  slot.phase = slot_phase::idle;
  slot.due = deadline::never();
  if (began_stop_) return send_stop(slot);
  // What waits is dropped, and the worker asked to stop, by begin_stop, which is next.
  if (phase_.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(pool_phase::stopping)) return;
  if (!slot.own.empty()) {
    slot.current = std::move(slot.own.front());
    slot.own.pop_front();
  } else if (!queue_.empty()) {
    slot.current = std::move(queue_.front());
    queue_.pop_front();
    if (!slot.current->until.is_never()) --timed_;
    room_.fetch_add(1, std::memory_order_release); // pairs with the look of those who wait for room
    wait::futex_wake_all(room_);
  } else {
    idle_.push_back(&slot); // there is memory: reserved
    return;
  }
  slot.phase = slot_phase::busy;
  slot.sent = 0;
  slot.dropped = false;
  send_some(slot);
}

void workers_core::receive_some(worker_slot& slot) noexcept {
  // A large result is read in several turns, so that others are not kept waiting for the lock.
  for (int turn = 0; turn < 16 && slot.work.is_open(); ++turn)
    if (!drain_channel(slot)) return;
}

// One read, and the frames it completes; false when there is nothing more for now.
bool workers_core::drain_channel(worker_slot& slot) noexcept {
  const auto room = slot.inbox.room();
  const auto got = sys::receive_now(slot.work.number(), room.data(), room.size());
  if (got == -EAGAIN) return false;
  if (got == -EINTR) return true;
  if (got < 0 && got != -ECONNRESET) {
    slot.work = {};
    slot.sending = false;
    broken_channel(slot, sys::call::recvmsg, static_cast<int>(-got));
    return false;
  }
  auto progress = got < 0 ? slot.inbox.came(0) : slot.inbox.came(static_cast<std::size_t>(got));
  while (progress == frame_inbox::progress::whole) {
    on_frame(slot);
    progress = slot.inbox.next();
  }
  // What did not fill the room was all there was.
  if (progress == frame_inbox::progress::more) return static_cast<std::size_t>(got) == room.size();
  const bool nonsense =
      progress == frame_inbox::progress::fault && slot.inbox.fault() != frame_fault::cut_short;
  // Before its channel is closed, at whose end it would end by itself.
  if (nonsense) doom(slot, at_once, deadline::never(), name_of(slot.inbox.fault()));
  slot.work = {}; // its end is next
  slot.sending = false;
  if (!nonsense) doom(slot, soon, deadline::never(), "");
  return false;
}

void workers_core::on_frame(worker_slot& slot) noexcept {
  const frame_head& head = slot.inbox.head();
  switch (head.kind) {
  case frame_kind::bootstrapped:
    if (slot.phase != slot_phase::bootstrapping) return;
    slot.phase = slot_phase::starting;
    slot.due = deadline::after(options_.start_within);
    return;
  case frame_kind::started:
    if (slot.phase == slot_phase::starting) on_started(slot);
    return;
  case frame_kind::start_failed:
    try {
      const auto text = slot.inbox.body().view();
      slot.trouble.assign(reinterpret_cast<const char*>(text.data()), text.size());
    } catch (...) {
    }
    if (slot.phase == slot_phase::bootstrapping || slot.phase == slot_phase::starting)
      slot.phase = slot_phase::failing;
    doom(slot, soon, deadline::never(), "");
    return;
  case frame_kind::result:
  case frame_kind::failure:
  case frame_kind::cut: return on_result(slot);
  default: return; // of the other direction: of no meaning here
  }
}

void workers_core::on_started(worker_slot& slot) noexcept {
  for (const auto& [method, body] : remembered_) {
    try {
      auto again = std::make_unique<job>();
      frame_head head;
      head.kind = frame_kind::call;
      head.id = ++last_id_;
      head.method = method;
      head.size = body->size() - sizeof head;
      again->frame.append(body->data(), body->size());
      std::memcpy(again->frame.data(), &head, sizeof head);
      again->id = head.id;
      again->broadcast = true;
      again->reply = std::make_shared<reply_state>();
      slot.own.push_back(std::move(again));
    } catch (...) { // a worker that knows less is better than none
    }
  }
  next_job(slot);
  if (phase_.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(pool_phase::starting)) return;
  if (std::all_of(slots_.begin(), slots_.end(), [](const auto& one) {
        return one->phase == slot_phase::idle || one->phase == slot_phase::busy;
      }))
    change(pool_phase::running);
}

void workers_core::on_result(worker_slot& slot) noexcept {
  const frame_head& head = slot.inbox.head();
  if (slot.current == nullptr || head.id != slot.current->id) return;
  if (head.kind == frame_kind::cut) { // with its worker's end, which is next, it is lost or tried again
    try {
      slot.trouble = "a request ended the call";
    } catch (...) {
    }
    return;
  }
  const auto done = std::move(slot.current);
  if (!done->broadcast) --calls_in_;
  if (!slot.dropped) {
    if (head.kind == frame_kind::result) {
      std::swap(done->reply->bytes, slot.inbox.body());
      settle(*done);
    } else {
      try {
        const auto text = slot.inbox.body().view();
        fail(*done, pool_errc::call_failed,
             std::string{reinterpret_cast<const char*>(text.data()), text.size()});
      } catch (...) {
        done->reply->no_memory = true;
        settle(*done);
      }
    }
  }
  slot.inbox.body().clear();
  if (!slot.doomed || began_stop_) next_job(slot);
  if (closed_) {
    room_.fetch_add(1, std::memory_order_release); // pairs with drain's look
    wait::futex_wake_all(room_);
  }
}

void workers_core::on_life(worker_slot& slot) noexcept {
  for (;;) {
    life_note note;
    const auto size = sys::receive_now(slot.life.number(), &note, sizeof note);
    if (size == -EAGAIN || size == -EINTR) return;
    if (size != sizeof note) {
      slot.life = {};
      return;
    }
    if (note.kind != life_note::what::request || !options_.on_request) continue;
    try {
      requests_.push_back({slot.index, slot.process->pid(), note.signal, note.sender, note.user});
    } catch (...) {
    }
  }
}

void workers_core::doom(worker_slot& slot, const stop_plan& plan, deadline until,
                        std::string_view why) noexcept {
  if (slot.doomed) return;
  slot.doomed = true;
  std::erase(idle_, &slot);
  if (slot.trouble.empty()) {
    try {
      slot.trouble = why;
    } catch (...) {
    }
  }
  slot.steps = stop_run{plan, until};
  step(slot);
}

void workers_core::step(worker_slot& slot) noexcept {
  const stop_step* const next = slot.steps.next();
  if (next == nullptr) return give_up(slot);
  slot.step_due = deadline::after(slot.steps.wait());
  if (slot.process == nullptr) return;
  if (next->what == stop_step::kind::signal) return slot.process->signal(next->signal);
  if (!slot.life.is_open()) return;
  const life_note note{};
  const sys::piece bytes{&note, sizeof note};
  sys::send_now(slot.life.number(), {&bytes, 1});
  if (slot.work.is_open()) send_stop(slot);
}

std::string workers_core::describe_end(const worker_slot& slot, const process_end& end) const {
  std::string text = options_.name + ' ' + std::to_string(slot.index);
  if (slot.process->pid() != 0) text += " (pid " + std::to_string(slot.process->pid()) + ')';
  if (slot.process->birth_error() == ESRCH)
    return text + " was not started: the zygote has ended, or has no descriptor for the order";
  if (slot.process->birth_error() != 0)
    return text + " was not started: " + std::string{sys::name_of(slot.process->birth_failed_at())} + ": " +
           std::system_category().message(slot.process->birth_error());
  const bool is_starting = slot.phase == slot_phase::bootstrapping || slot.phase == slot_phase::starting;
  if (slot.phase == slot_phase::failing || (is_starting && !slot.trouble.empty()))
    return text + " did not start: " + slot.trouble;
  text += ' ' + describe(end);
  if (is_starting) text += " before its object was made";
  if (slot.current != nullptr) text += " during a call";
  if (!slot.trouble.empty()) return text + ": " + slot.trouble;
  if (slot.process->is_orphan()) text += ": the zygote has ended";
  return text;
}

// The process has ended. What it had sent before is heard first.
void workers_core::on_end(worker_slot& slot) noexcept {
  slot.doomed = true; // there is nothing to be stopped any more
  while (slot.work.is_open() && drain_channel(slot)) {
  }
  if (slot.life.is_open()) on_life(slot);
  const process_end end = *slot.process->end();
  try {
    after_end(slot, end, describe_end(slot, end));
  } catch (...) {
    after_end(slot, end, {});
  }
}

// Nothing ends it: it is asleep in the kernel, or its zygote does not answer. Should it come back, it finds
// its lifeline cut.
void workers_core::give_up(worker_slot& slot) noexcept {
  const process_end unknown{slot.process->pid()};
  try {
    report_.left_behind.push_back(unknown.pid);
    std::string text = describe_end(slot, unknown);
    if (slot.phase == slot_phase::idle || slot.phase == slot_phase::busy)
      text += ": it did not end by any step and is left behind";
    after_end(slot, unknown, text);
  } catch (...) {
    after_end(slot, unknown, {});
  }
}

void workers_core::after_end(worker_slot& slot, const process_end& end, const std::string& text) noexcept {
  try {
    if (report_.ends.size() >= 1000) report_.ends.erase(report_.ends.begin());
    report_.ends.push_back({slot.index, end, began_stop_, text});
    if (options_.on_end) ends_.push_back(report_.ends.back());
  } catch (...) {
  }
  std::erase(idle_, &slot);
  if (slot.current != nullptr) job_lost(slot, text, end);
  close_slot(slot);
  switch (static_cast<pool_phase>(phase_.load(std::memory_order_relaxed))) {
  case pool_phase::starting: trouble_end_ = end; return start_failed(text);
  case pool_phase::running:
  case pool_phase::broken: break;
  default: return;
  }
  for (auto& own : slot.own) fail(*own, pool_errc::worker_ended, text, end);
  slot.own.clear();
  if (phase_.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(pool_phase::broken)) return;
  if (may_replace()) return try_launch(slot);
  trouble_end_ = end;
  break_down("", text);
}

void workers_core::job_lost(worker_slot& slot, const std::string& text, const process_end& end) noexcept {
  auto lost = std::move(slot.current);
  const auto phase = static_cast<pool_phase>(phase_.load(std::memory_order_relaxed));
  const bool stopping = phase != pool_phase::running && phase != pool_phase::broken;
  if (!slot.dropped && phase == pool_phase::running && lost->tries > 1) {
    --lost->tries;
    try {
      if (!lost->until.is_never()) ++timed_;
      queue_.push_front(std::move(lost));
      if (!idle_.empty()) {
        worker_slot& other = *idle_.back();
        idle_.pop_back();
        next_job(other);
      }
      return;
    } catch (...) {
      if (!lost->until.is_never()) --timed_;
    }
  }
  if (!lost->broadcast) --calls_in_;
  if (!slot.dropped) {
    if (stopping) ++report_.calls_dropped;
    fail(*lost, stopping ? pool_errc::stopped_while_waiting : pool_errc::worker_ended, text, end);
  }
  room_.fetch_add(1, std::memory_order_release); // pairs with drain's look
  wait::futex_wake_all(room_);
}

bool workers_core::may_replace() noexcept {
  const time_point now = clock::now();
  while (!replaced_.empty() && now - replaced_.front() > options_.replacements_within) replaced_.pop_front();
  if (replaced_.size() >= options_.replacements) return false;
  try {
    replaced_.push_back(now);
  } catch (...) {
    return false;
  }
  return true;
}

void workers_core::try_launch(worker_slot& slot) noexcept {
  try {
    launch(slot);
  } catch (const std::exception& error) {
    close_slot(slot);
    break_down(" could not be replaced: ", error.what());
  }
}

void workers_core::start_failed(const std::string& text) noexcept {
  try {
    trouble_ = text;
  } catch (...) {
  }
  change(pool_phase::failed);
}

// `what` is of the pool's name, if it is anything.
void workers_core::break_down(const char* what, std::string_view why) noexcept {
  try {
    trouble_ = options_.name + ": the pool is broken: ";
    if (*what != '\0') trouble_.append(options_.name).append(what);
    trouble_ += why;
  } catch (...) {
  }
  change(pool_phase::broken);
  for (auto& each : queue_) {
    --calls_in_;
    fail(*each, pool_errc::broken, trouble_, trouble_end_);
  }
  queue_.clear();
  timed_ = 0;
  room_.fetch_add(1, std::memory_order_release); // pairs with the look of those who wait for room
  wait::futex_wake_all(room_);
}

} // namespace lastcall::detail
