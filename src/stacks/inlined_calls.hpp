// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stacks/stacks.hpp>

#include <vector>

#include <elfutils/libdwfl.h>

namespace lastcall::stacks {

/// Adds the calls at `place` of `module`, innermost first: those inlined there, then the function itself;
/// each is `like` this one, with function, file and line as far as they are known.
void add_calls(Dwfl_Module* module, Dwarf_Addr place, const stack_frame& like, std::vector<stack_frame>& to);

} // namespace lastcall::stacks
