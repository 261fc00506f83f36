// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sweep.hpp"

#include "play.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/immortal.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include <algorithm>

#include <fcntl.h>

namespace tiny {
namespace {

// Never destroyed: a daemon may be inside when statics go.
lastcall::buffered_writer& nowhere() {
  static lastcall::immortal<lastcall::buffered_writer> it{
      lastcall::raw_fd::own(lastcall::io::open("/dev/null", O_WRONLY | O_CLOEXEC, 0)),
      lastcall::stream_options{.name = "nowhere"}};
  return *it;
}

struct one_run {
  watcher saw;
  window did;
  int stopped_by = 0;
};

one_run run_once(const std::shared_ptr<const program>& code, std::size_t at) {
  one_run what;
  const auto counts = std::make_shared<ledger>();
  lastcall::signal_scope scope;
  what.saw.at = at;
  what.saw.when_it_waits = true;
  what.saw.request = [&] { scope.request_stop("--interrupt-everywhere"); };
  {
    lastcall::runtime runtime{{.name = code->file}};
    try {
      const auto ended = play(
          code, {.out = &nowhere(), .err = &nowhere(), .watch = watch::counted, .main = &what.saw}, counts);
      what.did.lost = ended.swallowed;
    } catch (const lastcall::interrupted&) {
      // As asked.
    }
    runtime.finalize(); // says on standard error what did not go well
  }
  scope.close();
  const auto came = scope.requests();
  if (what.saw.made && came.empty()) what.did.lost = true;
  const auto typed = std::ranges::find_if(came, [](const auto& one) { return one.signal != 0; });
  if (typed != came.end()) what.stopped_by = typed->signal;
  what.did.point = at;
  what.did.after = what.saw.after, what.did.before = what.saw.before, what.did.where = what.saw.where;
  what.did.leaked = counts->locks_held;
  what.did.unfinalized = counts->finalizers_owed + counts->finalizers_cut;
  return what;
}

} // namespace

sweep interrupt_everywhere(const std::shared_ptr<const program>& code, std::size_t most) {
  sweep all;
  for (std::size_t at = 1; at <= most; ++at) {
    const one_run run = run_once(code, at);
    if (run.stopped_by != 0) {
      all.stopped_by = run.stopped_by;
      break;
    }
    if (!run.saw.made) break; // it has no opcode number `at`
    ++all.points;
    all.leaked += run.did.leaked;
    all.unfinalized += run.did.unfinalized;
    all.lost += run.did.lost ? 1 : 0;
    if (run.did.leaked != 0 || run.did.unfinalized != 0 || run.did.lost) all.windows.push_back(run.did);
    if (run.saw.waited) break;
  }
  return all;
}

std::string describe(const sweep& what) {
  return "points " + std::to_string(what.points) + " leaked " + std::to_string(what.leaked) +
         " unfinalized " + std::to_string(what.unfinalized) + " lost " + std::to_string(what.lost);
}

std::string describe(const window& what) {
  std::string text = "point " + std::to_string(what.point) + ", between " + std::string{name_of(what.after)} +
                     " and " + std::string{name_of(what.before)} + " of line " +
                     std::to_string(what.where.line) + ':';
  if (what.leaked != 0) text += " leaked " + std::to_string(what.leaked);
  if (what.unfinalized != 0) text += " unfinalized " + std::to_string(what.unfinalized);
  if (what.lost) text += " lost";
  return text;
}

} // namespace tiny
