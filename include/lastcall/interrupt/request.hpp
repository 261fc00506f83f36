// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/reason.hpp>

namespace lastcall {

/// One arrival of somebody's wish that the program stop. It consists of nothing but its reason: who,
/// how, when; `count` is above 1 when so many equal signals came that their records ran out.
using request = reason;

} // namespace lastcall
