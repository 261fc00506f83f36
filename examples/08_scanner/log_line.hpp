// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

#include <string>
#include <string_view>

/// A line of the log, without its end: how long after `began`, who, what.
std::string log_line(lastcall::time_point began, std::string_view who, std::string_view what);
