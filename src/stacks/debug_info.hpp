// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/thread_sampler.hpp"

#include <lastcall/stacks/stacks.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace lastcall::stacks {

/// Where a call of a stack is.
struct place {
  std::uint64_t address = 0;
  bool exact = true; ///< the instruction there is meant; otherwise the call before it, which returns to there
};

/// The program's and its libraries' debug information, as of when it is made: unwinds samples and names
/// places. All of libdwfl is behind it. One thread at a time.
class debug_info {
public:
  debug_info();
  ~debug_info();
  debug_info(const debug_info&) = delete;
  debug_info& operator=(const debug_info&) = delete;

  /// Why nothing can be found; empty when it can.
  const std::string& missing() const noexcept { return missing_; }

  /// The places of a sample's calls, innermost first. `missing` is why there are no more, unless they are
  /// all.
  std::vector<place> unwind(const sys::thread_sample& sample, std::string& missing);

  /// The call at `where` as far as it is known without names: in which file it is.
  stack_frame locate(const place& where) const;

  /// Adds the calls at `where`: one, and those inlined there before it.
  void name(const place& where, std::vector<stack_frame>& to);

private:
  std::vector<stack_frame> calls_at(const place& where) const;

  struct reader;
  std::unique_ptr<reader> reader_;
  std::string missing_;
  std::unordered_map<std::uint64_t, std::vector<stack_frame>>
      known_; // by address; threads often wait together
};

} // namespace lastcall::stacks
