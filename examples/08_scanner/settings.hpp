// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "arguments.hpp"
#include "fault.hpp"
#include "scanner.hpp"

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/lifecycle/options.hpp>
#include <lastcall/process/worker_options.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A part of the program that is to fail when it starts, and how.
struct planned_fault {
  std::string where{}; ///< "threads", "loop", "service", "job", "worker-0", …; empty: nowhere
  fault_kind how = fault_kind::none;

  /// Of the part with that name.
  fault_kind of(std::string_view name) const noexcept { return name == where ? how : fault_kind::none; }
};

/// What the program is to do.
struct settings {
  std::vector<std::string> files{};
  pattern_list patterns{};    ///< those of the command line
  std::string pattern_file{}; ///< one on each line, besides; read anew by an update
  long workers = 0, tasks = 0, threads = 0;
  std::uint64_t block = std::uint64_t{1} << 20U;
  bool in_order = true;
  std::chrono::milliseconds again = example::for_ever;        ///< between two passes; never: there is one
  std::chrono::milliseconds update_every = example::for_ever; ///< besides the hang-up signal
  bool shielded_updates = true; ///< a stop waits for the update that is under way, for some seconds
  bool shielded_blocks = false; ///< … and for the blocks
  std::string log{};            ///< a file, or "-" for standard error; empty: only what goes wrong, there
  lastcall::start_policy start = lastcall::start_policy::whole;
  lastcall::ladder_policy ladder = lastcall::ladder_policy::normal;
  lastcall::on_crash crash = lastcall::on_crash::retry;
  std::chrono::milliseconds start_within = std::chrono::seconds{5};
  std::chrono::milliseconds grace = std::chrono::seconds{25};
  std::chrono::milliseconds busy = std::chrono::milliseconds{0}; ///< how long a block takes at least
  std::chrono::milliseconds pace = std::chrono::milliseconds{0}; ///< … a worker to start, and to update
  planned_fault fault{};
};

/// The options of the command line, which fill `into`.
std::vector<example::option> options_for(settings& into);
/// What is derived, and what cannot be: throws `example::usage_error`.
void complete(settings& set);

/// What stands below the options in the help.
extern const std::string_view more_help;

/// The patterns of the command line and of the file, checked. Throws std::system_error,
/// std::invalid_argument, and std::runtime_error where there is none.
pattern_list all_patterns(const settings& set);
