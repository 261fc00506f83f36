// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/check_arguments.hpp"

#include "commands/check_help.hpp"
#include "commands/duration.hpp"
#include "commands/signal_list.hpp"
#include "commands/usage_error.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace checker {
namespace {

namespace fs = std::filesystem;

/// The words as CLI11 fills them in, before their meaning is looked at.
struct raw_words {
  std::vector<std::string> signals{"INT", "TERM"};
  std::vector<std::string> scopes{"process"};
  std::vector<std::string> positions{"before", "during", "after"};
  std::string dir, input, at, verify, json, isolation = "auto", time_limit, undisturbed_limit, grace, budget;
  unsigned jobs = 0;
  std::size_t max_points = 0;
};

/// Each value of `names` as its place in `known`, once each. `option` is for the error's sentence.
template <class Value>
std::vector<Value> choose(const char* option, const std::vector<std::string>& names,
                          std::initializer_list<std::pair<std::string_view, Value>> known) {
  std::vector<Value> chosen;
  for (const auto& name : names) {
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& each) { return each.first == name; });
    if (found == known.end()) {
      std::string choices;
      for (const auto& each : known) choices += fmt::format("{}{}", choices.empty() ? "" : ", ", each.first);
      throw usage_error(fmt::format("{}: \"{}\" is none of {}", option, name, choices));
    }
    if (std::find(chosen.begin(), chosen.end(), found->second) == chosen.end())
      chosen.push_back(found->second);
  }
  return chosen;
}

seconds duration_of(const char* option, const std::string& text) {
  if (text.empty()) return seconds{0};
  if (const auto value = parse_duration(text)) return *value;
  throw usage_error(
      fmt::format("{}: \"{}\" is no duration; give for example 500ms, 2s or 1.5m", option, text));
}

fs::path readable_directory(const std::string& text) {
  std::error_code error;
  if (!fs::exists(text, error)) throw usage_error(fmt::format("--dir: there is no directory {}", text));
  if (!fs::is_directory(text, error)) throw usage_error(fmt::format("--dir: {} is not a directory", text));
  if (::access(text.c_str(), R_OK | X_OK) != 0)
    throw usage_error(fmt::format("--dir: cannot read {}: {}", text, std::strerror(errno)));
  return fs::absolute(text);
}

fs::path readable_file(const std::string& text) {
  std::error_code error;
  if (!fs::exists(text, error)) throw usage_error(fmt::format("--stdin: there is no file {}", text));
  if (fs::is_directory(text, error)) throw usage_error(fmt::format("--stdin: {} is a directory", text));
  if (::access(text.c_str(), R_OK) != 0)
    throw usage_error(fmt::format("--stdin: cannot read {}: {}", text, std::strerror(errno)));
  return fs::absolute(text);
}

point readable_point(const std::string& text) {
  std::string why;
  if (auto found = point::parse(text, why)) return std::move(*found);
  throw usage_error(
      fmt::format("--at: \"{}\" names no point: {}; a point looks like '0:pause()#1@before'", text, why));
}

/// CLI11's own usage line does not know of the subject behind `--`.
class check_formatter final : public CLI::Formatter {
public:
  std::string make_usage(const CLI::App*, std::string) const override {
    return "Usage: lastcall check [OPTIONS] -- PROGRAM [ARGUMENT...]\n";
  }
};

void declare(CLI::App& app, raw_words& raw, check_arguments& into) {
  app.set_help_flag("-h,--help", "Show this text");
  app.add_option("--signal", raw.signals, "Signals to send, by name or number")
      ->delimiter(',')
      ->type_name("SIG,…")
      ->default_str("INT,TERM")
      ->group("What to ask, and where");
  app.add_option(
         "--scope", raw.scopes,
         "Who gets it: process (the first one), group (as Ctrl-C on a terminal) or caller (whose call "
         "it is)")
      ->delimiter(',')
      ->type_name("SCOPE,…")
      ->default_str("process")
      ->group("What to ask, and where");
  app.add_option("--position", raw.positions, "Where, relative to a system call: see below")
      ->delimiter(',')
      ->type_name("POS,…")
      ->default_str("before,during,after")
      ->group("What to ask, and where");
  app.add_option("--at", raw.at, "Only this point, as a report names it")
      ->type_name("KEY")
      ->group("What to ask, and where");
  app.add_option("--max-points", raw.max_points, "At most N points, evenly spread")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->group("What to ask, and where");
  app.add_option("--dir", raw.dir, "Run in a fresh copy of this directory (otherwise: an empty one)")
      ->type_name("DIR")
      ->group("The program's surroundings");
  app.add_option("--stdin", raw.input, "Standard input (otherwise: /dev/null)")
      ->type_name("FILE")
      ->group("The program's surroundings");
  app.add_option("--isolation", raw.isolation, "auto, namespaces or subreaper")
      ->type_name("HOW")
      ->default_str("auto")
      ->group("The program's surroundings");
  app.add_option("--verify", raw.verify, "Shell command run in what each run leaves; status 0 means good")
      ->type_name("CMD")
      ->group("Judging");
  app.add_option("--time-limit", raw.time_limit,
                 "For the end of one run, from the request on (otherwise: from the undisturbed run)")
      ->type_name("TIME")
      ->group("Judging");
  app.add_option(
         "--undisturbed-limit", raw.undisturbed_limit,
         "A program that is not done after so long, and pauses, is taken never to end by itself (10s)")
      ->type_name("TIME")
      ->group("Judging");
  app.add_option("--grace", raw.grace,
                 "For the other processes to end, after the first (otherwise: as long as they do something)")
      ->type_name("TIME")
      ->group("Judging");
  app.add_option("--jobs", raw.jobs, "Runs at a time (otherwise: chosen)")->type_name("N")->group("Effort");
  app.add_option("--budget", raw.budget, "For the whole check; what is not done then is not run")
      ->type_name("TIME")
      ->group("Effort");
  app.add_option("--json", raw.json, "Write the report as JSON too; - is standard output")
      ->type_name("FILE")
      ->group("Report");
  app.add_flag("--swallowed", into.swallowed, "List the requests that left no trace")->group("Report");
  app.add_flag("--quiet", into.quiet, "No progress and no summary")->group("Report");
}

void interpret(const raw_words& raw, check_arguments& into) {
  auto& what = into.what;
  what.signals = parse_signals(raw.signals);
  what.scopes = choose<target_scope>(
      "--scope", raw.scopes,
      {{"process", target_scope::process}, {"group", target_scope::group}, {"caller", target_scope::caller}});
  what.positions = choose<position>(
      "--position", raw.positions,
      {{"before", position::before}, {"during", position::during}, {"after", position::after}});
  what.isolate = choose<isolation>("--isolation", {raw.isolation},
                                   {{"auto", isolation::automatic},
                                    {"namespaces", isolation::namespaces},
                                    {"subreaper", isolation::subreaper}})
                     .front();
  if (!raw.at.empty()) what.at = readable_point(raw.at);
  if (!raw.dir.empty()) what.dir = readable_directory(raw.dir);
  if (!raw.input.empty()) what.input = readable_file(raw.input);
  what.verify = raw.verify;
  what.jobs = raw.jobs;
  what.max_points = raw.max_points;
  what.time_limit = duration_of("--time-limit", raw.time_limit);
  what.grace = duration_of("--grace", raw.grace);
  what.budget = duration_of("--budget", raw.budget);
  if (!raw.undisturbed_limit.empty()) {
    what.undisturbed_limit = duration_of("--undisturbed-limit", raw.undisturbed_limit);
  }
  if (!raw.json.empty()) into.json = raw.json;
}

} // namespace

parsed_check parse_check(const std::vector<std::string>& words) {
  parsed_check parsed;
  const auto split = std::find(words.begin(), words.end(), "--");
  CLI::App app{std::string(check_description), "lastcall check"};
  app.formatter(std::make_shared<check_formatter>());
  app.footer(std::string(check_footer));
  raw_words raw;
  declare(app, raw, parsed.arguments);
  std::vector<std::string> ours(words.begin(), split);
  std::reverse(ours.begin(), ours.end()); // as CLI11 wants them
  try {
    app.parse(std::move(ours));
  } catch (const CLI::CallForHelp&) {
    parsed.show = app.help();
    return parsed;
  } catch (const CLI::ExtrasError& error) {
    if (split == words.end())
      throw usage_error(fmt::format("{}; the program to check comes after \"--\"", error.what()));
    throw usage_error(error.what());
  } catch (const CLI::ParseError& error) {
    throw usage_error(error.what());
  }
  if (split == words.end() || std::next(split) == words.end())
    throw usage_error("no program to check is named: lastcall check [options] -- program arguments…");
  if (std::next(split)->empty()) throw usage_error("the name of the program to check is empty");
  parsed.arguments.what.argv.assign(std::next(split), words.end());
  interpret(raw, parsed.arguments);
  return parsed;
}

} // namespace checker
