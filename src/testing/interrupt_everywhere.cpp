// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/testing/interrupt_everywhere.hpp>

#include "interrupt/point_probe.hpp"

#include <algorithm>
#include <exception>

namespace lastcall::testing {

namespace {

// Counts the points of this thread and makes the request at one of them.
class requester final : public detail::point_probe {
public:
  requester(signal_scope& scope, int signal, std::size_t at) noexcept
      : scope_{scope}, signal_{signal}, at_{at} {
    detail::set_probe(this);
  }
  ~requester() { detail::set_probe(nullptr); }
  requester(const requester&) = delete;
  requester& operator=(const requester&) = delete;

  void reached() noexcept override {
    if (++reached_ != at_) return;
    if (signal_ != 0)
      interrupt_main(signal_);
    else
      scope_.request_stop("interrupt_everywhere");
  }
  std::size_t points() const noexcept { return reached_; }

private:
  signal_scope& scope_;
  const int signal_;
  const std::size_t at_;
  std::size_t reached_ = 0;
};

struct one_run {
  std::size_t points = 0;
  bool interrupted = false;
  std::string wrong; // empty: nothing
};

signal_options options_for(int signal) {
  signal_options how;
  how.signals.clear();
  if (signal != 0) how.signals.push_back(signal);
  how.ladder = ladder_policy::patient;
  how.ignored = inherited_ignore::take;
  return how;
}

one_run run_once(const std::function<void(signal_scope&)>& fn, int signal, std::size_t at) {
  one_run what;
  signal_scope scope{options_for(signal)};
  {
    const requester probe{scope, signal, at};
    try {
      fn(scope);
    } catch (const interrupted&) {
      what.interrupted = true;
    } catch (const std::exception& failure) {
      what.wrong = std::string{"threw "} + failure.what();
    } catch (...) {
      what.wrong = "threw something that is no std::exception";
    }
    what.points = probe.points();
  }
  const bool requested = what.points >= at;
  if (requested && scope.requests().empty() && what.wrong.empty()) what.wrong = "the request was lost";
  if (!requested && what.interrupted && scope.requests().empty())
    what.wrong = "interrupted without a request";
  return what;
}

} // namespace

interrupt_report interrupt_everywhere(const std::function<void(signal_scope&)>& fn,
                                      const interrupt_options& options) {
  interrupt_report report;
  for (std::size_t at = 1; !report.exhausted; ++at) {
    if (options.prepare) options.prepare();
    one_run run = run_once(fn, options.signal, at);
    if (run.wrong.empty() && options.verify) run.wrong = options.verify();
    report.exhausted = run.points < at;
    if (report.exhausted)
      report.points = run.points;
    else if (run.interrupted)
      ++report.interrupted;
    else
      ++report.completed;
    if (!run.wrong.empty()) report.failures.push_back({report.exhausted ? 0 : at, std::move(run.wrong)});
    if (at >= options.most_points) break;
  }
  return report;
}

std::string describe(const interrupt_report& report) {
  constexpr std::size_t most_lines = 10;
  std::string text = std::to_string(report.interrupted + report.completed) +
                     " requests: " + std::to_string(report.interrupted) + " runs interrupted, " +
                     std::to_string(report.completed) + " completed, " +
                     std::to_string(report.failures.size()) + " failed";
  if (!report.exhausted) text += "; there are more points than were tried";
  const std::size_t lines = std::min(report.failures.size(), most_lines);
  for (std::size_t i = 0; i < lines; ++i) {
    const interrupt_failure& failure = report.failures[i];
    text += failure.point == 0 ? std::string{"\n  without a request: "}
                               : "\n  a request at point " + std::to_string(failure.point) + ": ";
    text += failure.sentence;
  }
  if (lines < report.failures.size()) text += "\n  …";
  return text;
}

} // namespace lastcall::testing
