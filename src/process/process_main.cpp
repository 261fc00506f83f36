// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/process_main.hpp"

#include "sys/calls.hpp"
#include "sys/process_calls.hpp"
#include "sys/thread.hpp"

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
  if (setup.mark == process_setup::the_mark && setup.version == process_setup::the_version)
    status = setup.what == role::worker   ? run_worker(setup, fds)
             : setup.what == role::keeper ? run_keeper(setup, fds)
                                          : run_log_writer(setup, fds);
  std::exit(status); // NOLINT(concurrency-mt-unsafe): what was registered has its say; lifeline.cpp has the
                     // deadline
}

} // namespace lastcall::detail
