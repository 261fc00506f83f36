// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/survey.hpp"
#include "judge/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What passes between the command and its worker processes, as CBOR.
namespace checker::wire {

/// A worker's answer. Exactly one of `known`, `moved`, `seen` and `failure` is there.
struct answer {
  std::optional<survey> known;      ///< the undisturbed runs
  std::optional<std::size_t> moved; ///< see `count_moved`
  std::optional<run> seen;          ///< one run, without its trees
  std::vector<observation> observations;
  std::string failure;             ///< a sentence: the check cannot be made
  bool undisturbed_failed = false; ///< … because the subject fails by itself
};

[[nodiscard]] std::vector<std::uint8_t> encode(const answer& what);
/// Throws nlohmann::json::exception where the bytes are no answer.
[[nodiscard]] answer decode(const std::vector<std::uint8_t>& bytes);

} // namespace checker::wire
