// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

/// A system call by number, for calls that are not made through a function of their own. The kernel's result,
/// or minus an errno.
namespace lastcall::sys {

long raw_call(long number, const long (&arguments)[6]) noexcept;

} // namespace lastcall::sys
