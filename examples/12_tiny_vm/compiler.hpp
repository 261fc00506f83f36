// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "program.hpp"

#include <string_view>

namespace tiny {

/// Compiles a script. Throws `problem` for one that cannot be.
///
/// The language has a line for each statement; `end` closes what is open:
///
///     name = EXPR          EXPR.name = EXPR        f(EXPR, …)         print EXPR, …      sleep EXPR
///     raise EXPR           return [EXPR]           if EXPR … else …   while EXPR …       fn name(name, …) …
///     with EXPR …          try [CALL] … finally …
///
/// An EXPR is made of numbers, "texts", nil, names, + - * / < == not, calls, attributes, parentheses, and of
/// input(), lock(), object(FINALIZER), spawn f(…) and daemon f(…). A name that a function assigns to is its
/// own; all others are of the whole script.
///
/// What `try` calls belongs to its block: with the default layout there is no moment at which it has been
/// done and `finally` would be left out. A `finally` cannot return: it would swallow what it was entered for.
program compile(std::string_view source, layout how = layout::whole);

} // namespace tiny
