// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// What a stream does at the end: of itself, of a runtime, of the process; and in a forked child.
///
/// Aim. What was accepted is written, whoever holds the lock, in bounded time, and what cannot be written is
/// counted. write_core.hpp says how a core is taken from its holder.
///
/// A descriptor may not take anything any more; so here no write waits beyond the deadline: bounded_writes.
///
/// A destructor does the same for its stream alone, with a round of its own, when no other round can come to
/// it any more. There is never more than one round at a stream: two would write the same bytes.

#include <lastcall/trace/inline_text.hpp>
#include <lastcall/trace/whereabouts.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/standard_output.hpp"
#include "runtime/thread_registry.hpp"
#include "runtime/touch.hpp"
#include "stream/output_stream.hpp"
#include "sys/calls.hpp"
#include "sys/thread_files.hpp"
#include "wait/lock_around_waits.hpp"
#include "wait/raw_futex.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace lastcall::detail {

namespace {

using namespace std::chrono_literals;

// How long a holder may take to come out of its write once it was asked; it needs microseconds.
constexpr duration time_to_answer = 1s;
constexpr duration time_once_left_behind = 10ms;

std::string describe_thread(std::uint32_t id) {
  const auto thread = static_cast<pid_t>(id);
  std::string name = the_registry().name_of(thread);
  return name.empty() ? whereabouts_of(thread) : name + ": " + whereabouts_of(thread);
}

// Without memory: what the kernel calls it.
inline_text<56> name_in_place(std::uint32_t id) noexcept {
  std::array<char, 32> name{};
  const auto size = sys::read_thread_file(static_cast<pid_t>(id), "comm", name.data(), name.size());
  if (size <= 1) return inline_text<56>{"a thread that is not there any more"};
  return inline_text<56>{
      std::string_view{name.data(), static_cast<std::size_t>(size) - 1}}; // less the line's end
}

// One look at all of them: a look at each would take the sum of their times.
std::string all_threads(deadline until) {
  std::vector<pid_t> ids(256);
  for (int count = 0; (count = sys::list_threads(ids.data(), ids.size())) > 0;) {
    const bool all = static_cast<std::size_t>(count) <= ids.size();
    ids.resize(static_cast<std::size_t>(count) + (all ? 0 : 64)); // more may come meanwhile
    if (all) break;
  }
  std::string text;
  for (const std::string& each : whereabouts_of(ids, until)) text.append(each).append("\n");
  return text;
}

// Of the thread that forks, which is another one in the child.
thread_local constinit std::uint32_t id_before_fork = 0;

} // namespace

bool output_stream::holder_is_gone(const write_core& core) const noexcept {
  const std::uint32_t holder = core.lock.holder();
  if (holder == 0) return false;
  const auto thread = static_cast<pid_t>(holder);
  return the_registry().is_parked(thread) || sys::tgkill(thread, 0) == -ESRCH;
}

void output_stream::say(last_words_round& round) noexcept {
  if (write_core* const core = say_and_stay(round); core != nullptr) core->lock.unlock();
}

// The core that is current then, with its lock; null where it is in the hands of somebody else.
write_core* output_stream::say_and_stay(last_words_round& round) noexcept {
  write_core& core = *current_.load(std::memory_order_acquire);
  const duration patience = holder_is_gone(core) ? duration::zero() : round.grace;
  const auto how = core.lock.lock_until(this_thread_id(), round.until.within(patience));
  if (how != lock_result::held) return take_over(core, round);
  if (core.is(taken)) core.repair(); // left behind in an earlier round, and back since
  speak(core, round);
  return &core;
}

void output_stream::speak(write_core& core, last_words_round& round) noexcept {
  if (core.is(closed)) return;
  write_bounded(core, core.committed(), round.until);
  const bool broken = core.is(failed);
  if (round.last || broken) {
    const std::uint64_t left = give_up_rest(core, core.committed());
    if (left != 0 || (broken && !told_)) tell(round, 0, left, 0);
    told_ = told_ || broken;
  }
  if (round.last) core.mode.fetch_or(unbuffered, std::memory_order_relaxed);
}

write_core* output_stream::take_over(write_core& core, last_words_round& round) noexcept {
  const std::uint32_t holder = core.lock.holder();
  if (round.on_stuck == stuck_stream::fatal) fatal(core);
  core.take();
  const duration time = core.is(abandoned) ? time_once_left_behind : time_to_answer;
  const bool landed = core.wait_until_landed(round.until.within(time));
  const std::uint64_t end = core.decide();
  write_core* next = landed ? other_core(core) : nullptr;
  if (next != nullptr) {
    const std::uint32_t kept =
        core.mode.load(std::memory_order_relaxed) & (by_line | failed | closed | has_read_ahead);
    next->begin_at(end, kept | (round.last ? unbuffered : 0U));
    current_.store(next, std::memory_order_release); // pairs with the acquire of those who look for it
  } else {
    core.mode.fetch_or(abandoned | (round.last ? unbuffered : 0U), std::memory_order_relaxed);
  }
  core.lock.turn_away();
  if (landed) {
    write_bounded(core, end, round.until);
    const std::uint64_t left = give_up_rest(core, end);
    if (left != 0) tell(round, holder, left, 0);
  } else if (round.last) {
    const std::uint64_t from = core.flushed();
    const std::uint64_t sure = std::max(from, core.in_flight_to());
    tell(round, holder, end - std::min(end, sure), std::min(end, sure) - std::min(end, from));
  }
  if (next != nullptr)
    next->mode.fetch_or(core.mode.load(std::memory_order_relaxed) & failed, std::memory_order_relaxed);
  return next;
}

// Locked; null when its holder has not come back, either.
write_core* output_stream::other_core(const write_core& than) noexcept {
  write_core& other = cores_[&than == cores_.data() ? 1 : 0];
  return other.lock.try_lock(this_thread_id()) ? &other : nullptr;
}

void output_stream::write_bounded(write_core& core, std::uint64_t to,
                                  const hurried_deadline& until) noexcept {
  if (core.flushed() >= to || core.is(failed | closed)) return;
  bounded_writes writes{fd_.number()};
  while (core.flushed() < to) {
    const long count =
        writes.write(core.pending(to), until, words_taken); // nobody asks whoever does the asking
    if (count > 0)
      core.note_flushed(static_cast<std::size_t>(count));
    else if (count != bounded_writes::too_late)
      fail(core, count == 0 ? -EIO : count);
    if (count <= 0) return;
  }
}

void output_stream::tell(last_words_round& round, std::uint32_t holder, std::uint64_t lost,
                         std::uint64_t uncertain) noexcept {
  const std::uint64_t written = counts().written;
  if (!round.is_reported()) {
    const auto who = holder == 0 ? inline_text<56>{} : name_in_place(holder);
    return note_lost_output({name_, who, written, lost, uncertain, error().value()});
  }
  try {
    stream_end what{
        .name = name_, .written = written, .lost = lost, .uncertain = uncertain, .error = error()};
    if (holder != 0) what.holder = describe_thread(holder);
    round.note(std::move(what));
  } catch (...) { // without memory for words
    note_lost_output();
  }
}

// Standard error may take nothing, either. What matters most is said first.
void output_stream::fatal(const write_core& core) const noexcept {
  constexpr duration least = 100ms;
  const auto until = deadline::after(time_to_answer);
  try {
    const auto holder = static_cast<pid_t>(core.lock.holder());
    tell_standard_error("lastcall: fatal: the lock of the stream '" + name_ +
                            "' could not be had at the end; it is held by " + name_of_thread(holder) + ": " +
                            kernel_whereabouts_of(holder) + "\n",
                        until.remaining());
    const std::string threads = all_threads(until);
    tell_standard_error(threads, std::max(until.remaining(), least));
  } catch (...) { // without memory for it
  }
  std::abort();
}

bool output_stream::finish() noexcept {
  const wait::lock_set_aside aside;
  last_words_round round = round_of_a_destructor();
  if (!strike_off(round.until)) {
    close_beside_a_round(round.until);
    return false;
  }
  write_core* const core = say_and_stay(round);
  if (core != nullptr) {
    if (!core->is(closed)) close_core(*core);
    core->lock.unlock();
    if (other_core(*core) != nullptr) return true;
  }
  keep_for_ever();
  return false;
}

// Another round is late, and may come to this stream at any time: so as a holder, who shows that it is in
// flight.
void output_stream::close_beside_a_round(const hurried_deadline& until) noexcept {
  sit_down();
  write_core& core = *current_.load(std::memory_order_acquire);
  if (core.lock.lock_until(this_thread_id(), deadline::after(time_once_left_behind)) != lock_result::held)
    return;
  if (!core.is(taken | closed) && drain(core, &until) != result::again && core.enter(core.committed())) {
    close_core(core);
    core.leave();
  }
  core.lock.unlock();
}

void output_stream::before_fork() noexcept { id_before_fork = this_thread_id(); }

void output_stream::begin_in_child() noexcept {
  known_thread_id = 0; // perhaps done already
  const std::uint32_t me = this_thread_id();
  for (write_core& core : cores_) core.begin_in_child(id_before_fork, me);
  const write_core& core = *current_.load(std::memory_order_relaxed);
  if (core.lock.holder() == me) return;
  lost_.store(0, std::memory_order_relaxed);
  error_.store(0, std::memory_order_relaxed);
  told_ = false;
}

} // namespace lastcall::detail
