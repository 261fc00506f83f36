// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Searches files for patterns, by worker processes: the larger program of the published text "Holy grail of
// graceful shutdown in Python", done again. Coroutine services over a pool of threads over a pool of
// processes, with a log that ends last. Press Ctrl-C at any time, kill any of its processes at any time: see
// docs/scanner.md.
#include "arguments.hpp"
#include "job.hpp"
#include "journal.hpp"
#include "services.hpp"
#include "settings.hpp"

#include <lastcall/lifecycle/application.hpp>
#include <lastcall/process/zygote.hpp>
#include <lastcall/task/async_component.hpp>
#include <lastcall/task/loop_call.hpp>

#include <cerrno>
#include <csignal>
#include <exception>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace {

lastcall::raw_fd log_file(const std::string& name) {
  const bool standard = name.empty() || name == "-";
  const int fd = standard ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                          : ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) throw std::system_error{errno, std::generic_category(), standard ? "standard error" : name};
  return lastcall::raw_fd::own(fd);
}

int serve(settings& set) {
  complete(set);
  try {
    static_cast<void>(all_patterns(set));
  } catch (const std::exception& error) { // rather than by each worker
    throw example::usage_error(error.what());
  }

  lastcall::zygote nursery; // while there is nothing that a fork could copy wrong
  journal log{nursery, log_file(set.log), !set.log.empty()};
  int status = 0;
  {
    lastcall::application_options options;
    options.grace = set.grace;
    options.start = set.start;
    options.ladder = set.ladder;
    options.statuses.by_signal = {SIGINT, SIGTERM}; // who is stopped has not searched everything
    options.log = [&log](const lastcall::event& what) { log.record(what); };
    options.on_report = [&log](const lastcall::report& what) {
      if (!what.clean()) log.writer().write(describe(what));
    };
    lastcall::application app{"08_scanner", std::move(options)};
    const surroundings around{set, log, nursery};
    auto pool = app.add<threads>("threads", around);
    auto loop = app.add<event_loop>("loop", around).after(pool);
    auto service =
        app.add<lastcall::in_loop<scan_service>>("service", *loop, around, *pool).after(loop, pool);
    auto job = app.add<lastcall::in_loop<scan_job>>("job", *loop, around, *pool, **service).after(service);
    status = app.run([&] { return lastcall::call_in(loop->handle(), [&] { return (*job)->finished(); }); });
  }
  constexpr int log_lost = 74;
  const bool worse = status == 75 || status == 70;
  return log.close() || worse ? status : log_lost;
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  const example::operands files{"FILE…", more_help, set.files};
  return example::as_program(
      argc, argv, "Searches files for patterns, in processes that work beside each other.", options_for(set),
      [&] { return serve(set); }, &files);
}
