// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/session.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <unistd.h>

// How long the subject is waited for: whether it idles, as a program does that waits to be asked, and when it
// has hung. See tracer.cpp for the whole.

namespace checker {
namespace {

constexpr auto idle_time = seconds{0.1};
constexpr auto settling_time = seconds{0.5};
constexpr auto longest_approach = 4 * settling_time; // to a point that was met before the program settled
constexpr auto usual_grace = seconds{0.25};
constexpr double patience = 3;     // so many limits, where the machine is slow
constexpr double busy_share = 0.5; // who is seen running more often than that computes

} // namespace

void session::watch_for_idle() {
  const bool wants = task_.end_when_idle || (is_idle_point_ && !has_fired());
  if (!wants || !stillness_.is_waiting()) return;
  const bool has_alarm = task_.has_alarm || recorder_.saw_alarm();
  const bool is_idle = !has_alarm && stillness_.lasted() >= idle_time && stillness_.is_for_ever(family_);
  if (!is_idle) {
    // It pauses. If it turns out to do nothing else, this is where it idles: not in its first moments, in
    // which a pause belongs to the start.
    if (time_.total() - began_ < settling_time) return;
    if (task_.record) recorder_.mark_first_wait();
    if (!task_.timed_idle) return;
  }
  if (is_idle_point_) {
    ask_now(nullptr);
  } else {
    end_idle();
  }
}

void session::end_idle() {
  for (auto& [thread, one] : family_.members()) recorder_.mark_asleep(one);
  result_.idle = true;
  result_.seen.end = {ending::how::hung, ending::waits_as_it_should, false};
  is_done_ = true;
}

void session::watch_for_hang() {
  if (has_fired()) {
    const auto waited = time_.total() - asked_;
    if (waited > task_.quiet && is_deadlocked()) return end_hung(hang_kind::deadlock);
    // Whoever has computed for so long and is not done loops; the clock says less, since it may be the
    // machine that is slow.
    const auto computed = processor_since_noted();
    if (computed > task_.limit_processor) return end_hung(hang_kind::livelock);
    if (waited < task_.limit_after) return;
    const bool is_busy = stillness_.busy_share() > busy_share;
    // On a crowded machine it may stand ready for seconds without being let at the processor.
    if (stillness_.ready_share() > busy_share && computed < busy_share * task_.limit_after) return;
    if (!is_busy || waited > patience * task_.limit_after) {
      end_hung(is_busy ? hang_kind::livelock : hang_kind::slow);
    }
    return;
  }
  if (!task_.end_when_idle && is_deadlocked()) return end_hung(hang_kind::deadlock);
  // It does what it will do for ever, and the point has not come.
  const auto run = time_.total() - began_;
  const bool is_past = interrupter_ && task_.timed_idle && run > longest_approach;
  if (is_past && stillness_.is_waiting()) {
    is_done_ = true;
    return;
  }
  if (run < task_.limit) return;
  if (task_.record && recorder_.saw_wait()) {
    result_.timed_idle = true;
    return end_idle();
  }
  // Who had little of the processor in all that time has not been busy, and was never seen asleep only
  // because others were ahead of it whenever it woke up.
  const bool was_held_up = processor_since_noted() < busy_share * task_.limit;
  if (was_held_up && (stillness_.ready_share() > busy_share || run < patience * task_.limit)) return;
  end_hung(hang_kind::livelock);
}

bool session::is_deadlocked() const {
  return !task_.has_alarm && stillness_.lasted() > task_.quiet && stillness_.is_for_ever(family_);
}

std::uint64_t session::processor_ticks() const {
  std::set<pid_t> processes;
  for (const auto& [thread, one] : family_.members()) processes.insert(one.process);
  std::uint64_t ticks = 0;
  for (const pid_t process : processes) ticks += files_.processor_ticks(process);
  return ticks;
}

void session::note_processor() { noted_ticks_ = processor_ticks(); }

seconds session::processor_since_noted() const {
  const auto ticks = processor_ticks();
  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds{static_cast<double>(ticks - std::min(ticks, noted_ticks_)) / per_second};
}

void session::watch_for_survivors() {
  const bool in_full = task_.grace.count() > 0;
  if (!in_full && stillness_.lasted() > usual_grace / 4) is_done_ = true;
  // Who runs may be on the way to an end of its own, and others ahead of it at the processor.
  const auto waited = stillness_.is_ready() ? processor_since_noted() : time_.total() - first_gone_;
  const seconds grace = in_full ? task_.grace : usual_grace;
  if (waited > (stillness_.is_waiting() ? 1 : patience) * grace) is_done_ = true;
}

void session::end_hung(hang_kind kind) {
  if (is_ending(family_, files_)) return; // the kernel has yet to let it go, and needs nobody for that
  result_.seen.hung = hang{kind, describe_threads(family_, files_)};
  result_.seen.end.how = ending::how::hung;
  is_done_ = true;
}

} // namespace checker
