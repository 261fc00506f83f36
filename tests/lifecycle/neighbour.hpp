// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lifecycle_test {

/// `words` go to standard error when the statics of this library are destroyed.
void say_when_the_library_is_destroyed(const char* words);

} // namespace lifecycle_test
