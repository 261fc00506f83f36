// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <csignal>
#include <string>

namespace lastcall::stacks {

/// Why the kernel does not let `thread` be traced, for people; `error` is what it said.
std::string refusal_of(pid_t thread, int error);

/// Why no sample was taken at all.
std::string failure_of_sampling(int error);

} // namespace lastcall::stacks
