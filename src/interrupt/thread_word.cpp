// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/thread_word.hpp>

namespace lastcall::detail {

thread_local constinit thread_word this_thread{};

} // namespace lastcall::detail
