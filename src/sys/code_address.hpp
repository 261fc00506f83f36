// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdint>

namespace lastcall::sys {

/// Where the program or library lies in memory that has this address, and its file's name: empty for the
/// program itself. 0 where there is none.
std::uintptr_t image_of(const void* address, char* name, std::size_t room) noexcept;
/// Where the one of that name lies in this process; 0 where it is not loaded.
std::uintptr_t image_named(const char* name) noexcept;

} // namespace lastcall::sys
