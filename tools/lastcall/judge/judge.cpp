// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/known_trees.hpp"
#include "judge/mask.hpp"
#include "judge/noise.hpp"
#include "judge/verdict.hpp"
#include "subject/signal_name.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace checker {
namespace {

using strings = std::vector<std::string>;

bool ends_so_undisturbed(const reference& known, const ending& end) {
  return std::any_of(known.undisturbed.begin(), known.undisturbed.end(),
                     [&](const run& each) { return each.end.how == end.how && each.end.value == end.value; });
}

bool exited(const ending& end) { return end.how == ending::how::exited; }

/// Standard output held against that of the undisturbed runs, where those agree.
struct output {
  bool known = false;    ///< the undisturbed runs write the same
  bool complete = false; ///< so does this run
  bool cut = false;      ///< this run wrote only the first part of it
};

output output_of(const reference& known, const run& judged) {
  if (!known.ends_by_itself || known.undisturbed.empty()) return {};
  const std::string& whole = known.undisturbed.front().out;
  for (const run& each : known.undisturbed)
    if (each.out != whole) return {};
  return {.known = true,
          .complete = judged.out == whole,
          .cut = judged.out.size() < whole.size() && whole.starts_with(judged.out)};
}

class judging {
public:
  judging(const reference& known, const run& judged)
      : known_(known),
        run_(judged),
        signal_(judged.asked->signal),
        work_(known_trees(known, &run::work).compare(judged.work)),
        tmp_(known_trees(known, &run::tmp).compare(judged.tmp)),
        output_(output_of(known, judged)) {}

  std::vector<observation> all() && {
    hangs();
    crashes();
    statuses();
    survivors();
    leftovers();
    reruns();
    noises();
    verification();
    return std::move(found_);
  }

private:
  void add(verdict what, std::string signature, std::string sentence, strings files = {}) {
    found_.push_back(
        {what, fmt::format("{}: {}", to_string(what), signature), std::move(files), std::move(sentence)});
  }

  void hangs() {
    if (run_.end.how != ending::how::hung && !run_.hung) return;
    const auto kind = run_.hung ? run_.hung->kind : hang_kind::slow;
    std::set<std::string> waits;
    strings threads;
    if (run_.hung)
      for (const auto& each : run_.hung->threads) {
        const auto wait = each.call.empty() ? std::string("running") : each.call;
        waits.insert(mask_numbers(wait));
        threads.push_back(each.call.empty()
                              ? fmt::format("{} ({}) runs", each.role, each.command)
                              : fmt::format("{} ({}) waits in {}", each.role, each.command, wait));
      }
    const auto [name, meaning] = [&]() -> std::pair<std::string_view, std::string_view> {
      switch (kind) {
      case hang_kind::deadlock: return {"deadlock", "every thread waits for something that cannot come"};
      case hang_kind::livelock: return {"livelock", "it computed on far longer than an undisturbed run does"};
      case hang_kind::slow: break;
      }
      return {"slow", "it was not done at the time limit"};
    }();
    add(verdict::hang, fmt::format("{}: {}", name, fmt::join(waits, ", ")),
        fmt::format("never ends ({}: {}){}{}", name, meaning, threads.empty() ? "" : "; ",
                    fmt::join(threads, ", ")));
  }

  void crashes() {
    const auto& end = run_.end;
    const bool by_signal = end.how == ending::how::signaled && is_crash(end.value) && end.value != signal_;
    const bool by_status = exited(end) && is_crash(end.value - 128) && end.value - 128 != signal_;
    if ((by_signal || by_status) && !ends_so_undisturbed(known_, end)) {
      const auto name = signal_name(by_signal ? end.value : end.value - 128);
      add(verdict::crash, "SIG" + name,
          by_signal ? fmt::format("the program died of SIG{}", name)
                    : fmt::format("the program ended with status {} (128 + SIG{})", end.value, name));
    }
    std::set<std::string> seen;
    for (const auto& child : run_.crashes) {
      if (!is_crash(child.signal) || child.signal == signal_ || crashes_undisturbed(child)) continue;
      const auto name = signal_name(child.signal);
      if (!seen.insert(child.command + name).second) continue;
      add(verdict::crash, fmt::format("SIG{} of child {}", name, child.command),
          fmt::format("the child {} ({}) died of SIG{}", child.role, child.command, name));
    }
  }

  bool crashes_undisturbed(const child_death& child) const {
    return std::any_of(known_.undisturbed.begin(), known_.undisturbed.end(), [&](const run& each) {
      return std::any_of(each.crashes.begin(), each.crashes.end(), [&](const child_death& usual) {
        return usual.signal == child.signal && usual.command == child.command;
      });
    });
  }

  void statuses() {
    const auto& end = run_.end;
    if (end.how == ending::how::signaled) {
      if (end.value == signal_ || is_crash(end.value) || ends_so_undisturbed(known_, end)) return;
      add(verdict::wrong_status, "SIG" + signal_name(end.value),
          fmt::format("died of SIG{}, which nobody sent", signal_name(end.value)));
      return;
    }
    if (!exited(end) || !known_.ends_by_itself) return;
    if (end.value == 0 && (work_.is_incomplete || output_.cut)) {
      const auto what = work_.is_incomplete ? "its work is not done" : "its output is cut short";
      add(verdict::wrong_status, fmt::format("exit 0: {}", what),
          fmt::format("reports success (exit 0) though {}", what));
    }
    const bool done = work_.has_work && work_.is_completed && output_.known && output_.complete;
    const bool honest = end.value == 128 + signal_ || ends_so_undisturbed(known_, end);
    if (done && end.value != 0 && !honest && !is_crash(end.value - 128))
      add(verdict::wrong_status, fmt::format("exit {}: all its work is done", end.value),
          fmt::format("reports a failure (exit {}) though all its work is done", end.value));
  }

  void survivors() {
    std::set<std::string> commands;
    strings who;
    for (const auto& each : run_.survivors) {
      if (survives_undisturbed(each)) continue;
      commands.insert(mask_numbers(each.command));
      who.push_back(each.call.empty() ? fmt::format("{} ({})", each.role, each.command)
                                      : fmt::format("{} ({}) in {}", each.role, each.command, each.call));
    }
    if (!who.empty())
      add(verdict::survivor, fmt::format("{}", fmt::join(commands, ", ")),
          fmt::format("left behind, alive after the program's end: {}", fmt::join(who, ", ")));
  }

  bool survives_undisturbed(const thread_state& survivor) const {
    return std::any_of(known_.undisturbed.begin(), known_.undisturbed.end(), [&](const run& each) {
      return std::any_of(each.survivors.begin(), each.survivors.end(),
                         [&](const thread_state& usual) { return usual.command == survivor.command; });
    });
  }

  void leftovers() {
    strings files;
    std::set<std::string> masked;
    const auto collect = [&](const comparison& of, std::string_view prefix) {
      for (const auto& each : of.leftovers) {
        files.push_back(fmt::format("{} {}{}", to_string(each.what), prefix, each.path));
        const bool random = each.what == leftover::kind::stray;
        masked.insert(
            fmt::format("{} {}{}", to_string(each.what), prefix, random ? mask_path(each.path) : each.path));
      }
    };
    collect(work_, "");
    collect(tmp_, "$TMPDIR/");
    if (files.empty()) return;
    auto sentence = files.size() == 1 ? fmt::format("leaves {}", files.front())
                                      : fmt::format("leaves {} and {} more", files.front(), files.size() - 1);
    add(verdict::leftover, fmt::format("{}", fmt::join(masked, ", ")), std::move(sentence), std::move(files));
  }

  void reruns() {
    if (!run_.again) return;
    const auto& end = run_.again->end;
    const bool as_completed = known_.from_completed && known_.from_completed->end.how == end.how &&
                              known_.from_completed->end.value == end.value;
    if (end.how == ending::how::hung)
      add(verdict::rerun_failed, "hung", "run again in the tree it left, the same command never ends");
    else if (!as_completed && !ends_so_undisturbed(known_, end))
      add(verdict::rerun_failed, to_string(end),
          fmt::format("run again in the tree it left, the same command fails ({})", to_string(end)));
  }

  void noises() {
    std::vector<std::string_view> usual;
    for (const run& each : known_.undisturbed) usual.push_back(each.err);
    const auto lines = noise_in(run_.err, usual);
    if (lines.empty()) return;
    const auto line = lines.front().substr(0, 160);
    add(verdict::noise, mask_numbers(line), fmt::format("writes to stderr: {}", line));
  }

  void verification() {
    if (!run_.verified || run_.verified->status == 0) return;
    const auto status = run_.verified->status;
    if (status == 126 || status == 127)
      add(verdict::verify_failed, fmt::format("status {}", status),
          fmt::format("the --verify command could not be run (status {})", status));
    else
      add(verdict::verify_failed, fmt::format("status {}", status),
          fmt::format("the --verify command says no (status {})", status));
  }

  const reference& known_;
  const run& run_;
  int signal_;
  comparison work_;
  comparison tmp_;
  output output_;
  std::vector<observation> found_;
};

} // namespace

bool in_known_state(const reference& known, const run& judged) {
  const auto work = known_trees(known, &run::work).compare(judged.work);
  const auto tmp = known_trees(known, &run::tmp).compare(judged.tmp);
  return (work.is_initial && tmp.is_initial) || (work.is_completed && tmp.is_completed);
}

std::vector<observation> judge(const reference& known, const run& judged) {
  if (!judged.asked || judged.delivered == delivery::none) return {};
  return judging(known, judged).all();
}

bool swallowed(const reference& known, const run& judged, const std::vector<observation>& found) {
  if (!judged.asked || judged.delivered == delivery::none || !known.ends_by_itself || !found.empty())
    return false;
  if (!exited(judged.end) || !ends_so_undisturbed(known, judged.end)) return false;
  const auto output = output_of(known, judged);
  return output.complete || !output.known;
}

} // namespace checker
