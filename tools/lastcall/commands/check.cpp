// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/check.hpp"

#include "commands/check_arguments.hpp"
#include "commands/stop_request.hpp"
#include "commands/usage_error.hpp"
#include "report/json_report.hpp"
#include "report/progress.hpp"
#include "report/summary.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <system_error>

namespace checker {
namespace {

/// Passes what `explore` tells on to the tally and to the line on the terminal.
class watching final : public observer {
public:
  explicit watching(progress& line) : line_(line) {}
  void on_plan(const reference& known, std::size_t points, std::size_t planned) override {
    seen_.plan(known, points, planned);
    line_.update(0, planned, 0);
  }
  void on_run(const run& done, const std::vector<observation>& found) override {
    seen_.add(done, found);
    line_.update(seen_.runs(), seen_.planned(), seen_.distinct());
  }
  const tally& seen() const noexcept { return seen_; }

private:
  tally seen_;
  progress& line_;
};

void complain(std::string_view sentence) { fmt::print(stderr, "lastcall check: {}\n", sentence); }

colour colour_of(int fd) {
  return ::isatty(fd) == 1 && !std::getenv("NO_COLOR") ? colour::always : colour::never;
}

/// False where something could not be written; the sentence is out then.
bool report(const check_arguments& with, const outcome& result, const tally& seen) {
  bool written = true;
  const bool json_on_stdout = with.json && *with.json == "-";
  if (!with.quiet) {
    std::FILE* to = json_on_stdout ? stderr : stdout;
    const auto text =
        summary(with.what, result, seen, with.swallowed ? detail::and_swallowed : detail::findings,
                colour_of(::fileno(to)));
    if (std::fwrite(text.data(), 1, text.size(), to) != text.size() || std::fflush(to) != 0) {
      complain(fmt::format("cannot write the summary: {}", std::generic_category().message(errno)));
      written = false;
    }
  }
  if (!with.json) return written;
  try {
    write_report(*with.json, json_report(with.what, result, seen));
  } catch (const std::system_error& error) {
    complain(fmt::format("--json: {}", error.what()));
    return false;
  }
  return written;
}

exit_status judged(const tally& seen) {
  if (seen.distinct() > 0) return exit_status::defects;
  if (!seen.proves_nothing()) return exit_status::nothing_found;
  complain(seen.runs() == 0 ? "nothing was proven: no run was made"
                            : "nothing was proven: the signal was not seen to arrive in any run");
  return exit_status::cannot_check;
}

/// What is known when `explore` could not go on.
outcome broken_off(const tally& seen, seconds elapsed) {
  outcome result;
  result.points = seen.points();
  result.planned = seen.planned();
  result.done = seen.runs();
  result.broken_off = true;
  result.elapsed = elapsed;
  return result;
}

exit_status run_check(const check_arguments& with) {
  const auto start = std::chrono::steady_clock::now();
  stop_request stop;
  progress line{STDERR_FILENO, with.quiet ? progress::wanted::no : progress::wanted::if_terminal};
  watching watcher{line};
  line.note("running it undisturbed");
  outcome result;
  try {
    result = explore(with.what, watcher, stop.fd());
  } catch (...) {
    line.clear();
    const seconds elapsed = std::chrono::steady_clock::now() - start;
    if (watcher.seen().runs() > 0) report(with, broken_off(watcher.seen(), elapsed), watcher.seen());
    if (stop.signal() != 0) stop_request::end_by(stop.signal());
    throw;
  }
  line.clear();
  const bool written = report(with, result, watcher.seen());
  if (result.interrupted && stop.signal() != 0) stop_request::end_by(stop.signal());
  return written ? judged(watcher.seen()) : exit_status::cannot_check;
}

} // namespace

exit_status check(const std::vector<std::string>& words) {
  try {
    const auto parsed = parse_check(words);
    if (parsed.show) {
      fmt::print("{}", *parsed.show);
      return exit_status::nothing_found;
    }
    return run_check(parsed.arguments);
  } catch (const usage_error& error) {
    complain(error.what());
    fmt::print(stderr, "Try `lastcall check --help`.\n");
  } catch (const undisturbed_run_failed& error) {
    complain(error.what());
    return exit_status::undisturbed_run_failed;
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::exception& error) { // cannot_check, and system errors that name their call
    complain(error.what());
  }
  return exit_status::cannot_check;
}

} // namespace checker
