// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/call_naming.hpp"
#include "tracer/tracer.hpp"

#include <vector>

namespace checker {

/// Learns which parts of calls vary by themselves, from two recordings of the same program: the random part
/// of a temporary file's name, a descriptor whose number depends on which thread was first. Roles are
/// aligned call by call, as far as both make the same kinds of calls.
[[nodiscard]] std::vector<call_mask> learn_masks(const std::vector<recorded_call>& one,
                                                 const std::vector<recorded_call>& other);

} // namespace checker
