// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>

namespace lastcall {

/// What to do with a signal that is ignored when the scope is made (nohup, background jobs).
enum class inherited_ignore : std::uint8_t {
  keep, ///< leave it ignored: whoever started the program wanted it so
  take  ///< handle it all the same
};

/// What to do with a signal that has a handler already when the scope is made: a library's, a language
/// runtime's, a crash reporter's.
///
/// Chained, it is called after ours has recorded the arrival: on the thread the signal hit, with the
/// original siginfo and context, under the mask it asked for; SA_RESETHAND, SA_NODEFER, SA_RESTART and the
/// flags of SIGCHLD act as if it stood there alone. It may leave by siglongjmp, `_exit` or pthread_exit.
/// On a thread with a shield up it is called when the shield ends, as a signal would act that was blocked
/// meanwhile: in order, equal ones once, and without a context; there it may not leave by pthread_exit.
///
/// Limits: it runs on the alternate stack where the thread has one, with or without SA_ONSTACK. It is not
/// called by `interrupt_main` and `request_stop`, behind which there is no signal, nor at the ladder's force,
/// which ends the program.
enum class found_handler : std::uint8_t {
  chain,  ///< it goes on hearing: the scope gets each arrival, and so does the handler
  keep,   ///< leave the signal to it: the scope gets nothing of it, see `signal_scope::handles`
  replace ///< it is not called until the scope is closed
};

} // namespace lastcall
