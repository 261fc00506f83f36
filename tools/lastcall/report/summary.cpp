// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/summary.hpp"

#include "report/reproduce.hpp"
#include "subject/signal_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace checker {
namespace {

constexpr std::size_t most_files = 6;
constexpr std::size_t most_swallowed = 40;

class page {
public:
  explicit page(colour use) : coloured_(use == colour::always) {}

  template <class... Arguments>
  void line(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), text, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }
  void field(std::string_view name, std::string_view value) {
    line("     {}{:<10}{} {}", code("\033[2m"), name, code("\033[0m"), value);
  }
  std::string bold(std::string_view what) const { return wrap("\033[1m", what); }
  std::string red(std::string_view what) const { return wrap("\033[1;31m", what); }
  std::string green(std::string_view what) const { return wrap("\033[1;32m", what); }
  std::string yellow(std::string_view what) const { return wrap("\033[1;33m", what); }
  std::string take() && { return std::move(text_); }

private:
  std::string_view code(std::string_view escape) const { return coloured_ ? escape : std::string_view{}; }
  std::string wrap(std::string_view escape, std::string_view what) const {
    return fmt::format("{}{}{}", code(escape), what, code("\033[0m"));
  }
  bool coloured_;
  std::string text_;
};

/// Bytes of the subject must not reach the terminal as control sequences.
std::string printable(std::string_view text) {
  std::string clean;
  for (const char c : text) clean += (c >= 0 && c < ' ') || c == 0x7f ? '?' : c;
  return clean;
}

std::string place(const example& at) {
  return fmt::format("{}  (SIG{} to the {})", printable(at.asked.where.key()), signal_name(at.asked.signal),
                     to_string(at.asked.scope));
}

std::string plural(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

void describe(page& on, const options& with, const finding& found, std::size_t number) {
  on.line("");
  on.line("{:>3}. {} in {}: {}", number, on.red(to_string(found.shown.what)), plural(found.count, "run"),
          on.bold(printable(found.shown.sentence)));
  on.field("first at", place(found.at));
  if (found.positions.size() == 1)
    on.field("", fmt::format("only {} a call", to_string(found.at.asked.where.at)));
  const auto& files = found.shown.files;
  for (std::size_t i = 0; i < std::min(files.size(), most_files); ++i)
    on.field(i == 0 ? "files" : "", printable(files[i]));
  if (files.size() > most_files) on.field("", fmt::format("… and {} more", files.size() - most_files));
  on.field("status", to_string(found.end));
  const auto shown = excerpt(found.err);
  std::string_view rest = shown;
  for (bool first = true; !rest.empty(); first = false) {
    const auto end = std::min(rest.find('\n'), rest.size());
    on.field(first ? "stderr" : "", printable(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  on.field("reproduce", reproduce_line(with, found.at.asked));
  if (const auto strace = strace_line(with, found.at)) on.field("strace", *strace);
}

void describe_unproven(page& on, const tally& seen) {
  if (seen.reasons().empty()) return;
  on.line("");
  on.line("{}", on.yellow(fmt::format("{} of {} not injected, so nothing is known of them:",
                                      seen.count_not_injected(), plural(seen.runs(), "run"))));
  for (const auto& [reason, which] : seen.reasons())
    on.line("  {:>6} × {}, first at {}", which.count, printable(reason), place(which.at));
}

void describe_swallowed(page& on, const tally& seen) {
  if (seen.swallowed().empty()) return;
  auto ordered = seen.swallowed();
  std::sort(ordered.begin(), ordered.end());
  on.line("");
  on.line("{} swallowed: the program went to its normal end as if nothing had been asked",
          plural(ordered.size(), "request"));
  for (std::size_t i = 0; i < std::min(ordered.size(), most_swallowed); ++i)
    on.line("    {}", place(ordered[i]));
  if (ordered.size() > most_swallowed) on.line("    … and {} more", ordered.size() - most_swallowed);
}

} // namespace

bool is_partial(const outcome& result) noexcept {
  return result.interrupted || result.out_of_budget || result.broken_off;
}

std::string_view to_string(isolation how) noexcept {
  switch (how) {
  case isolation::automatic: return "auto";
  case isolation::namespaces: return "namespaces";
  case isolation::subreaper: return "subreaper";
  }
  return "?";
}

std::string excerpt(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.size() > 1200) text.remove_prefix(text.size() - 1200);
  if (text.empty()) return {};
  std::size_t start = text.size();
  for (int lines = 0; lines < 8 && start > 0; ++lines) {
    start = text.rfind('\n', start - 1);
    if (start == std::string_view::npos) return std::string(text);
  }
  return std::string(text.substr(start + 1));
}

std::string summary(const options& with, const outcome& result, const tally& seen, detail how_much,
                    colour use) {
  page on{use};
  on.line("{} {}", on.bold("lastcall check"), printable(shell_line(with.argv)));
  std::size_t number = 0;
  const auto found = seen.findings();
  for (const auto& each : found) describe(on, with, each, ++number);
  describe_unproven(on, seen);
  if (how_much == detail::and_swallowed) describe_swallowed(on, seen);
  on.line("");
  if (result.interrupted) on.line("{}", on.yellow("Interrupted: this report is partial."));
  if (result.broken_off) on.line("{}", on.yellow("Broken off: this report is partial."));
  if (result.out_of_budget) on.line("{}", on.yellow("The budget is spent: this report is partial."));
  if (result.moved.value_or(0) > 0)
    on.line("{} of the undisturbed run {} not made again by one more afterwards.",
            plural(*result.moved, "call"), *result.moved == 1 ? "was" : "were");
  const auto per_second =
      result.elapsed.count() > 0 ? static_cast<double>(seen.runs()) / result.elapsed.count() : 0.0;
  on.line("{}, {} of {} done, {} not injected, {} swallowed ({:.1f} s, {:.0f} runs/s, isolation: {})",
          plural(result.points, "point"), seen.runs(), plural(result.planned, "run"),
          seen.count_not_injected(), seen.swallowed().size(), result.elapsed.count(), per_second,
          to_string(result.used));
  if (!found.empty())
    on.line("{}", on.red(fmt::format("{} found.", plural(found.size(), "defect"))));
  else if (seen.proves_nothing())
    on.line("{}", on.yellow("Nothing was proven: no request was seen to arrive."));
  else
    on.line("{}",
            is_partial(result) ? on.yellow("Nothing found in what was run.") : on.green("Nothing found."));
  return std::move(on).take();
}

} // namespace checker
