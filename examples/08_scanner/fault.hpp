// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <string_view>

/// How a part of the program does not come up: for trying out what becomes of the others then.
enum class fault_kind : std::uint8_t {
  none,
  throws, ///< its start throws
  exits,  ///< its process exits with 3
  hangs   ///< its start never returns
};

/// Does it. Returns where there is no fault, and throws std::runtime_error with the name in its text.
void commit(fault_kind what, std::string_view who);
