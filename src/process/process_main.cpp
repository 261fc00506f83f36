// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/process_main.hpp"

#include "process/frame.hpp"
#include "runtime/failure_text.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/failure.hpp"
#include "sys/process_calls.hpp"
#include "sys/thread.hpp"

#include <array>
#include <csignal>
#include <cstdlib>

namespace lastcall::detail {

void begin_child_process(const birth& from, const process_setup& setup, std::vector<raw_fd>& fds) {
  // Until there is a lifeline (see lifeline.cpp) the parent's end is ours, at once. The look afterwards is
  // for a parent that has ended before.
  sys::set_parent_death_signal(SIGKILL);
  if (sys::parent_pid() != from.parent) sys::exit_now(no_manager);
  using role = process_setup::role;
  sys::name_this_thread(setup.what == role::worker   ? "lc-worker"
                        : setup.what == role::keeper ? "lc-keeper"
                                                     : "lc-log");
  sys::set_signal_mask(from.mask);
  int status = no_sense;
  try {
    if (setup.mark == process_setup::the_mark && setup.version == process_setup::the_version)
      status = setup.what == role::worker   ? run_worker(setup, fds)
               : setup.what == role::keeper ? run_keeper(setup, fds)
                                            : run_log_writer(setup, fds);
  } catch (...) { // no memory: the status says that much
  }
  std::exit(status); // NOLINT(concurrency-mt-unsafe): what was registered has its say; lifeline.cpp has the
                     // deadline
}

void say_trouble(const raw_fd& work, const std::string& text) noexcept {
  frame_head head;
  head.kind = frame_kind::start_failed;
  head.size = text.size();
  const std::array<sys::piece, 2> both{{{&head, sizeof head}, {text.data(), text.size()}}};
  sys::send_now(work.number(), both);
}

std::string trouble_of(sys::call which, const char* purpose, int error) noexcept {
  try {
    sys::throw_failure(which, error, purpose);
  } catch (...) {
    return failure_text();
  }
}

} // namespace lastcall::detail
