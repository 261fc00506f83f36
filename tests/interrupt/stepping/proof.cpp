// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// One undisturbed run is recorded instruction by instruction; then each instruction has a run of its own.
///
/// All runs are children of one process, forked at the same state of its life: the same memory at the same
/// addresses, the same loader, the same heap, so they execute the same instructions up to the signal. For
/// that the tracer itself keeps off the heap between the first run and the last. Where a clock or another
/// thread (the herald) changes its way, a run can miss its instruction; it is made again, and if that does
/// not help, counted as missed.
///
/// The way to the k-th instruction: a breakpoint at the last landmark before it, an instruction that is
/// executed once only; from there a breakpoint at some instruction j, let pass so many times; from there k -
/// j single steps. The cheapest j is chosen.

#include "interrupt/stepping/proof.hpp"

#include "interrupt/stepping/ways.hpp"
#include "sys/memory_barrier.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <new>
#include <utility>

#include <dlfcn.h>
#include <sys/mman.h>

namespace stepping {

namespace {

// All runs of a subject are made where some show that they will not take longer than this; on a slower
// machine so many as can be made in a while.
constexpr auto longest = std::chrono::seconds{20}, a_while = std::chrono::seconds{5};
// So many are always made, and of a subject built for a sanitizer no more: its instructions are mostly not
// ours.
constexpr std::size_t few_runs = 300;

struct recording {
  instructions trace;            ///< between the marks
  std::optional<long> sleeps_in; ///< the call in which it fell asleep
};

// A page for both sides.
class shared_stretch {
public:
  shared_stretch()
      : memory_{::mmap(nullptr, sizeof(stretch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)} {
    if (memory_ == MAP_FAILED) throw std::bad_alloc{};
  }
  ~shared_stretch() { ::munmap(memory_, sizeof(stretch)); }
  shared_stretch(const shared_stretch&) = delete;
  shared_stretch& operator=(const shared_stretch&) = delete;
  stretch& operator*() const noexcept { return *static_cast<stretch*>(memory_); }

private:
  void* memory_;
};

recording record(const subject& what, stretch& shared) {
  recording made;
  traced_run run{what, shared};
  const auto end = reinterpret_cast<address>(&the_end);
  while (run.stopped()) {
    made.trace.push_back(run.pc());
    if (made.trace.back() == end) break;
    const auto call = what.sleeps ? run.system_call() : std::nullopt;
    if (what.sleeps ? run.step_unless_it_sleeps() : run.step()) continue;
    made.sleeps_in = call;
    break;
  }
  return made;
}

// The shortest of some: what disturbs a run (a clock that is set while it is read, a lock that somebody
// holds) makes it longer, by instructions that it executes twice. One that was met six times is what runs
// usually are; on a busy machine, where hardly a clock is read in one go when it is read step by step, that
// may take a while.
recording record_undisturbed(const subject& what, stretch& shared) {
  constexpr int most = 60;
  recording shortest = record(what, shared);
  for (int i = 1, met = 1; i < most && met < 6; ++i) {
    recording again = record(what, shared);
    if (again.trace.size() > shortest.trace.size()) continue;
    met = again.trace.size() == shortest.trace.size() ? met + 1 : 1;
    shortest = std::move(again);
  }
  return shortest;
}

// A run that went another way may have met the breakpoint after its end mark only.
bool go(traced_run& run, const stretch& shared, const recording& made, const way& by, std::size_t to) {
  const instructions& trace = made.trace;
  if (!run.stopped() || run.pc() != trace[0]) return false;
  if (by.landmark != 0 && !run.run_to(trace[by.landmark], 1, made.sleeps_in)) return false;
  if (by.breakpoint != 0 && !run.run_to(trace[by.breakpoint], by.times, made.sleeps_in)) return false;
  for (std::size_t k = by.begin_of_steps(); k < to; ++k)
    if (!run.step() || run.pc() != trace[k + 1]) return false;
  return !shared.past.load(std::memory_order_relaxed); // written by this thread while it ran
}

std::string place_name(address where) {
  Dl_info found{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): dladdr takes a pointer
  if (::dladdr(reinterpret_cast<void*>(where), &found) == 0 || found.dli_fname == nullptr) return "somewhere";
  std::string name = found.dli_fname;
  name.erase(0, name.rfind('/') + 1);
  char offset[32];
  std::snprintf(offset, sizeof offset, "+0x%zx", where - reinterpret_cast<address>(found.dli_fbase));
  return name + offset + (found.dli_sname != nullptr ? std::string{" in "} + found.dli_sname : "");
}

// How long a run takes here, by some to instructions all over the recording.
std::chrono::nanoseconds pace(const subject& what, stretch& shared, const recording& made,
                              const mapped_vector<way>& ways) {
  constexpr std::size_t tried = 16;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < tried; ++i) {
    const std::size_t k = i * (made.trace.size() - 1) / tried;
    traced_run run{what, shared};
    if (go(run, shared, made, ways[k], k)) run.interrupt(what.signal);
  }
  return (std::chrono::steady_clock::now() - begin) / tried;
}

std::size_t every_nth(const subject& what, stretch& shared, const recording& made,
                      const mapped_vector<way>& ways) {
  std::size_t every = 1;
#if defined(__SANITIZE_ADDRESS__)
  every = ways.size() / few_runs + 1;
#endif
  if (ways.size() <= few_runs || std::getenv("LASTCALL_EVERY_INSTRUCTION") != nullptr) return every;
  const auto all = pace(what, shared, made, ways) * ways.size();
  if (all <= longest) return every;
  return std::clamp<std::size_t>(static_cast<std::size_t>(all / a_while), every, ways.size() / few_runs + 1);
}

} // namespace

std::string impossible_here() {
#if defined(__SANITIZE_THREAD__)
  return "ThreadSanitizer holds handlers back, so that none begins at the instruction where its signal came";
#else
  const shared_stretch shared;
  traced_run trial{{[](stretch& s) { s.begin(); }}, *shared};
  return trial.stopped() ? "" : "this process may not trace its children";
#endif
}

tally prove(const subject& what) {
  // Each run that comes to a gate or an io call registers its process for membarrier, which takes a process
  // with threads some 20 ms, unless it was forked from one that is registered.
  lastcall::sys::register_memory_barrier();
  const shared_stretch shared;
  const recording made = record_undisturbed(what, *shared);
  const auto ways = ways_through(made.trace);
  tally sum;
  sum.every = every_nth(what, *shared, made, ways);
  sum.instructions = made.trace.size();
  const auto note = [&](const std::string& wrong, auto&& where) {
    ++sum.runs;
    if (!wrong.empty()) sum.failures.push_back(where() + ": " + wrong);
  };
  std::size_t last_missed = 0;
  for (std::size_t k = 0; k < made.trace.size() && sum.failures.size() < what.enough; k += sum.every) {
    bool met = false;
    for (int attempt = 0; attempt < 10 && !met; ++attempt) {
      traced_run run{what, *shared};
      met = go(run, *shared, made, ways[k], k);
      if (!met) continue;
      note(run.interrupt(what.signal),
           [&] { return "instruction " + std::to_string(k) + " (" + place_name(made.trace[k]) + ")"; });
    }
    if (met) continue;
    if (reads_the_clock(made.trace[k])) {
      ++sum.clock_retries;
      continue;
    }
    ++sum.missed;
    last_missed = k;
  }
  if (made.sleeps_in && sum.failures.size() < what.enough) {
    traced_run run{what, *shared};
    if (run.stopped() && run.run_until_it_sleeps(*made.sleeps_in)) {
      ++sum.asleep;
      note(run.interrupt(what.signal), [] { return std::string{"asleep"}; });
    }
  }
  if (sum.missed != 0)
    sum.where_missed = std::to_string(last_missed) + ", " + place_name(made.trace[last_missed]);
  return sum;
}

std::string tally::text(const std::string& name) const {
  std::string line = name + ": " + std::to_string(instructions) + " instructions, ";
  if (clock_retries != 0) line += std::to_string(clock_retries) + " where the clock was read again, ";
  if (runs != instructions + asleep) line += std::to_string(runs) + " of them interrupted, ";
  if (missed != 0) line += std::to_string(missed) + " not met (" + where_missed + "), ";
  line += std::to_string(failures.size()) + " failures";
  for (const std::string& failure : failures) line += "\n  " + failure;
  return line;
}

} // namespace stepping
