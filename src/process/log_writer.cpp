// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/log_writer.hpp>

#include "process/launched_process.hpp"
#include "process/log_client.hpp"
#include "process/log_tally.hpp"
#include "process/process_main.hpp"
#include "process/process_watch.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/failure.hpp"
#include "sys/incarnation.hpp"
#include "wait/lock_around_waits.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace lastcall {

struct log_writer::state {
  detail::log_client client;
  std::mutex lock; ///< of `close`, and what follows
  raw_fd life;
  std::unique_ptr<detail::launched_process> process;
  log_end end;
  bool is_there = false; ///< no end of anybody's ends the writer any more, but by the lifeline
  bool closed = false;
  sys::incarnation made_in = 0;

  void look() noexcept;
  void hear(const detail::log_tally& tally) noexcept;
  bool wait(deadline until) noexcept;
  void wait_until_it_is_there(deadline until);
};

log_writer::log_writer(process_source& from, raw_fd to, log_options options)
    : state_{std::make_unique<state>()} {
  sys::prepare_incarnation();
  state_->made_in = sys::this_incarnation();
  int records[2], life[2];
  if (const int result = sys::make_channel(sys::channel_kind::packet, records); result < 0)
    sys::throw_failure(sys::call::socketpair, -result, "a log's records");
  state_->client.begin(raw_fd::own(records[1]));
  const raw_fd their_records = raw_fd::own(records[0]);
  if (const int result = sys::make_channel(sys::channel_kind::packet, life); result < 0)
    sys::throw_failure(sys::call::socketpair, -result, "a log's lifeline");
  state_->life = raw_fd::own(life[0]);
  const raw_fd their_life = raw_fd::own(life[1]);
  constexpr std::size_t on_the_way = std::size_t{1} << 20U;
  sys::widen_channel(records[1], on_the_way);

  detail::process_setup setup;
  setup.what = detail::process_setup::role::log_writer;
  setup.manager = sys::getpid();
  setup.orphan_grace_ns = options.orphan_grace.count();
  setup.frame_limit = options.keep;
  const std::array<int, 3> fds{their_records.number(), their_life.number(), to.number()};
  state_->process = from.launch(setup, fds);
  state_->wait_until_it_is_there(deadline::after(options.bootstrap_within));
}

log_writer::~log_writer() {
  if (state_->made_in == sys::this_incarnation()) close(deadline::after(std::chrono::seconds{2}));
}

bool log_writer::write(std::string_view record) noexcept { return state_->client.hand_over(record); }

int log_writer::number() const noexcept { return state_->client.number(); }

int log_writer::pid() const noexcept {
  const std::scoped_lock held{state_->lock};
  state_->process->look();
  return state_->process->pid();
}

void log_writer::state::look() noexcept {
  process->look();
  while (life.is_open()) {
    detail::log_tally tally;
    const auto size = sys::receive_now(life.number(), &tally, sizeof tally);
    if (size == ssize_t{detail::its_first_word.size()})
      is_there = true;
    else if (size == sizeof tally)
      hear(tally);
    else if (size == -EAGAIN || size == -EINTR)
      break;
    else
      life = {}; // it has gone
  }
  end.end = process->end();
}

void log_writer::state::hear(const detail::log_tally& tally) noexcept {
  end.taken = tally.taken;
  end.written = tally.written;
  end.lost = tally.lost;
  end.torn = tally.torn != 0;
  end.known = true;
  if (tally.error != 0) end.error.assign(tally.error, std::system_category());
}

bool log_writer::state::wait(deadline until) noexcept {
  wait::lock_set_aside aside;
  for (look(); !end.end; look()) {
    sys::awaited what{process->watched(), sys::readable};
    if (sys::poll_many({&what, 1}, until.is_never() ? -1 : until.remaining().count()) == 0) return false;
  }
  return true;
}

// Before that it ends with its parent, and what was handed over would be lost with a manager that is killed.
void log_writer::state::wait_until_it_is_there(deadline until) {
  wait::lock_set_aside aside;
  for (look(); (!is_there || process->pid() == 0) && process->birth_error() == 0 && !end.end; look()) {
    constexpr int nobody = -1;
    std::array<sys::awaited, 2> what{
        {{process->watched(), sys::readable}, {life.is_open() ? life.number() : nobody, sys::readable}}};
    if (sys::poll_many(what, until.is_never() ? -1 : until.remaining().count()) == 0)
      sys::throw_failure(sys::call::poll, ETIMEDOUT, "for a log's writer");
  }
  if (process->birth_error() != 0)
    sys::throw_failure(process->birth_failed_at(), process->birth_error(), "a log's writer");
}

log_end log_writer::close(deadline until) noexcept {
  constexpr auto moment = std::chrono::seconds{1};
  const std::scoped_lock held{state_->lock};
  if (!std::exchange(state_->closed, true)) sys::stop_sending(state_->client.number());
  if (!state_->end.end && !state_->wait(until)) {
    state_->process->signal(SIGKILL);
    state_->wait(deadline::after(moment));
  }
  state_->end.refused = state_->client.refused();
  return state_->end;
}

} // namespace lastcall
