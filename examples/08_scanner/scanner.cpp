// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "scanner.hpp"

#include "block.hpp"
#include "log_line.hpp"

#include <lastcall/interrupt/io.hpp>

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

using lastcall::duration;

namespace {

/// RE2 itself writes to standard error otherwise: what is wrong with a pattern is an exception here.
RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

} // namespace

/// All patterns as one automaton: a line is looked at once, however many there are.
struct scanner::compiled {
  RE2::Set set{quiet(), RE2::UNANCHORED};

  explicit compiled(const pattern_list& patterns) {
    std::string error;
    for (const auto& each : patterns)
      if (set.Add(each, &error) < 0)
        throw std::invalid_argument{std::string{"the pattern '"}.append(each).append("': ").append(error)};
    if (!set.Compile()) throw std::invalid_argument{"the patterns take too much memory"};
  }
};

scanner::scanner(pattern_list patterns, habits how) : how_{how} {
  say("starting");
  lastcall::io::sleep_for(duration{how_.pace_ns}, {});
  if (lastcall::this_worker::index() == how_.faulty) commit(how_.fault, "this worker");
  compiled_ = std::make_unique<compiled>(patterns);
  say("started, with " + std::to_string(patterns.size()) + " patterns");
}

scanner::~scanner() { say("stopped"); }

void scanner::update(pattern_list patterns, std::uint64_t edition) {
  lastcall::io::sleep_for(duration{how_.pace_ns}, lastcall::this_worker::stop_token());
  compiled_ = std::make_unique<compiled>(patterns);
  edition_ = edition;
  say("updated, to edition " + std::to_string(edition));
}

block_result scanner::process_string(std::string text) {
  say("processing a string of " + std::to_string(text.size()) + " bytes");
  return search(text);
}

block_result scanner::process_number(std::string file, std::uint64_t number) {
  say("processing number " + std::to_string(number) + " of " + file);
  return search(read_block(file, number, how_.block));
}

block_result scanner::search(std::string_view text) {
  block_result result{edition_, 0, {}};
  auto& [edition, lines, found] = result;
  if (how_.busy_ns > 0 &&
      !lastcall::io::sleep_for(duration{how_.busy_ns}, lastcall::this_worker::stop_token()))
    throw std::runtime_error{"the worker was asked to stop"};
  std::vector<int> which;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    ++lines;
    if (compiled_->set.Match(re2::StringPiece{line.data(), line.size()}, &which)) {
      for (const int each : which) found.push_back({lines, static_cast<std::uint32_t>(each)});
      std::sort(found.end() - static_cast<std::ptrdiff_t>(which.size()), found.end(),
                [](const match& a, const match& b) { return a.pattern < b.pattern; });
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

void scanner::say(std::string_view what) const {
  if (!how_.talkative) return;
  const auto who = "scanner " + std::to_string(lastcall::this_worker::index());
  lastcall::this_worker::log(log_line(lastcall::time_point{duration{how_.log_began_ns}}, who, what));
}

void require_valid(const pattern_list& patterns) {
  for (const auto& each : patterns) {
    const RE2 one{each, quiet()};
    if (!one.ok()) throw std::invalid_argument{"the pattern '" + each + "': " + one.error()};
  }
}
