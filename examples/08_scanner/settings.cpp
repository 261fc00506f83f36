// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "settings.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

using example::usage_error;

const std::string_view more_help = "Prints FILE:LINE:PATTERN for each line and each pattern (of RE2's "
                                   "syntax) that it matches. A FILE of \"-\" is\n"
                                   "standard input. SIGHUP makes it read the file of patterns again. SIGINT "
                                   "and SIGTERM stop it in order; a\n"
                                   "second one hurries it, a third one ends it.\n"
                                   "\n"
                                   "exit status: 0 something matches, 1 nothing does, 2 a file could not be "
                                   "searched or the command line is wrong;\n"
                                   "70 a part of the program failed, 74 output or records of the log are "
                                   "lost, 75 a deadline has passed; and by\n"
                                   "the signal where it was stopped by one.";

namespace {

template <class T>
T one_of(std::string_view text, std::initializer_list<std::pair<std::string_view, T>> words) {
  std::string list;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    list.append(list.empty() ? "" : ", ").append(word);
  }
  throw usage_error("'" + std::string{text} + "' is none of: " + list);
}

planned_fault fault_of(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    throw usage_error("'" + std::string{text} + "' is no fault, such as worker-0:hangs");
  const auto where = text.substr(0, colon);
  const bool known = where == "threads" || where == "loop" || where == "service" || where == "job" ||
                     where.starts_with("worker-");
  if (!known) throw usage_error("'" + std::string{where} + "' is no part of this program");
  if (where.starts_with("worker-")) static_cast<void>(example::number_of(where.substr(7)));
  return {std::string{where}, one_of<fault_kind>(text.substr(colon + 1), {{"throws", fault_kind::throws},
                                                                          {"exits", fault_kind::exits},
                                                                          {"hangs", fault_kind::hangs}})};
}

} // namespace

std::vector<example::option> options_for(settings& into) {
  using lastcall::ladder_policy;
  using lastcall::on_crash;
  using lastcall::start_policy;
  return {
      {"--pattern", "REGEX", "search for this; may be given several times",
       [&](auto text) { into.patterns.emplace_back(text); }},
      {"--patterns", "FILE", "search for these, one on each line",
       [&](auto text) { into.pattern_file = text; }},
      {"--order", "ORDER", "of the files in the output: given, or come: as they are done (given)",
       [&](auto text) {
         into.in_order = one_of<bool>(text, {{"given", true}, {"come", false}});
       }},
      {"--again", "search all files again so long after the end; without it, once", into.again},
      {"--workers", "how many processes search (one for each processor)", into.workers},
      {"--tasks", "how many blocks are on their way to them (two for each)", into.tasks},
      {"--threads", "how many threads wait for them (tasks + 2)", into.threads},
      {"--block", "BYTES", "how much of a file is searched at a time (1048576)",
       [&](auto text) { into.block = static_cast<std::uint64_t>(example::number_of(text)); }},
      {"--crash", "WHAT", "with the block of a worker that crashed: retry, fail (retry)",
       [&](auto text) {
         into.crash = one_of<on_crash>(text, {{"retry", on_crash::retry}, {"fail", on_crash::fail}});
       }},
      {"--log", "FILE", "tell everything to FILE, or to standard error (-)",
       [&](auto text) { into.log = text; }},
      {"--update-every", "update the workers' patterns every so often", into.update_every},
      {"--update", "KIND", "a stop finishes an update (shielded) or cuts it (plain)",
       [&](auto text) {
         into.shielded_updates = one_of<bool>(text, {{"shielded", true}, {"plain", false}});
       }},
      {"--blocks", "KIND", "the same for blocks that are being searched (plain)",
       [&](auto text) {
         into.shielded_blocks = one_of<bool>(text, {{"shielded", true}, {"plain", false}});
       }},
      {"--start", "POLICY",
       "a Ctrl-C during the start waits for all of it (whole) or for one part (stepwise)",
       [&](auto text) {
         into.start = one_of<start_policy>(
             text, {{"whole", start_policy::whole}, {"stepwise", start_policy::stepwise}});
       }},
      {"--ladder", "POLICY", "what a second request does: normal, patient, eager (normal)",
       [&](auto text) {
         into.ladder = one_of<ladder_policy>(text, {{"normal", ladder_policy::normal},
                                                    {"patient", ladder_policy::patient},
                                                    {"eager", ladder_policy::eager}});
       }},
      {"--start-within", "how long each part may take to start (5s)", into.start_within},
      {"--grace", "how long the stop may take (25s)", into.grace},
      {"--busy", "how long each block takes at least, to try out a stop (0)", into.busy},
      {"--pace", "how long a worker takes at least to start, and to update (0)", into.pace},
      {"--fault", "PART:HOW", "threads, loop, service, job or worker-N: throws, exits or hangs in its start",
       [&](auto text) { into.fault = fault_of(text); }},
  };
}

void complete(settings& set) {
  if (set.files.empty()) throw usage_error("no FILE is given; --help tells more");
  if (set.patterns.empty() && set.pattern_file.empty())
    throw usage_error("nothing to search for: give --pattern or --patterns");
  constexpr long most = 1024;
  if (set.workers > most || set.tasks > most || set.threads > most)
    throw usage_error("more than 1024 workers, tasks or threads");
  if (set.block == 0) throw usage_error("a block has at least one byte");
  if (set.workers == 0)
    set.workers = std::clamp<long>(static_cast<long>(std::thread::hardware_concurrency()), 1, most);
  if (set.tasks == 0) set.tasks = std::min(2 * set.workers, most);
  if (set.threads == 0) set.threads = set.tasks + 2;
}

pattern_list all_patterns(const settings& set) {
  pattern_list all = set.patterns;
  if (!set.pattern_file.empty()) {
    std::ifstream in{set.pattern_file};
    for (std::string line; std::getline(in, line);)
      if (!line.empty()) all.push_back(line);
    if (!in.eof()) throw std::system_error{errno, std::generic_category(), set.pattern_file};
  }
  if (all.empty()) throw std::runtime_error{set.pattern_file + ": there is no pattern in it"};
  require_valid(all);
  return all;
}
