// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The log writer's process. It hears no signal but SIGKILL: it ends when nobody can send any more, or by the
// lifeline.
#include "process/lifeline.hpp"
#include "process/log_client.hpp"
#include "process/log_output.hpp"
#include "process/process_main.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"

#include <array>
#include <cerrno>
#include <vector>

namespace lastcall::detail {

int run_log_writer(const process_setup& setup, std::vector<raw_fd>& fds) {
  if (fds.size() != 3) return no_sense;
  sys::set_signal_mask(~std::uint64_t{0});
  const int records = fds[0].number();
  const int life = fds[1].number(); // the lifeline's, for as long as the process
  const duration grace{setup.orphan_grace_ns};
  if (the_lifeline().begin(std::move(fds[1]), setup.manager, grace, records) < 0) return no_sense;
  const sys::piece word{its_first_word.data(), its_first_word.size()};
  sys::send_now(life, {&word, 1});

  constexpr std::int64_t a_moment = 1'000'000;
  constexpr std::size_t at_once = sys::most_packets;
  std::vector<std::byte> room(at_once * log_client::longest);
  std::array<std::byte*, at_once> places{};
  std::array<std::size_t, at_once> sizes{};
  for (std::size_t i = 0; i < at_once; ++i) places[i] = room.data() + i * log_client::longest;
  log_output out{fds[2].number(), static_cast<std::size_t>(setup.frame_limit)};
  for (bool ended = false; !ended;) {
    const int count = sys::receive_many(records, places, log_client::longest, sizes);
    if (count == -EINTR || count == -EAGAIN) continue;
    if (count == -ENOMEM || count == -ENOBUFS) { // what was handed over is still there
      sys::poll_many({}, a_moment);
      continue;
    }
    ended = count <= 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count < 0 ? 0 : count); ++i) {
      if (sizes[i] == 0) // no record is empty: the end
        ended = true;
      else
        out.add({reinterpret_cast<const char*>(places[i]), sizes[i]});
    }
    out.flush();
  }
  const log_tally tally = out.finish();
  const sys::piece bytes{&tally, sizeof tally};
  sys::send_now(life, {&bytes, 1});
  return 0;
}

} // namespace lastcall::detail
