// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/check_help.hpp"

namespace checker {

const std::string_view check_description =
    R"(Interrupts a program everywhere and reports what breaks.

The program is run undisturbed first, to learn what it does. Then it is run again and again, each time
in a fresh copy of the directory, and each time a signal is delivered at another place: before, during
and after every system call of the program and of its children. Each run is judged against the
undisturbed ones; runs that show the same defect are reported as one, with a line that reproduces it.)";

const std::string_view check_footer = R"(Examples:
  lastcall check -- ./my-program
  lastcall check --dir repo -- git add -A              each run in a copy of repo
  lastcall check --signal INT --scope process,group -- make
  lastcall check --verify 'sqlite3 a.db "pragma integrity_check" | grep -qx ok' --dir data -- ./import a.db
  lastcall check --signal KILL --scope caller --grace 1s -- ./workers      kill -9, each process in turn
  lastcall check --signal INT --at '0:pause()#1@before' -- ./server

Positions:
  before   the program has decided to make the call, the kernel has not begun it: the gap between
           "look at the flag" and "go to sleep". `while (!stop) pause();` hangs here and nowhere else.
  during   while the call sleeps (calls that do not sleep have no such position)
  after    the call is done, the program has not seen its result yet

Verdicts:
  hang           never ends: deadlock, livelock (it computes on) or slow; with what each thread waits for
  crash          the program or a child of it dies of SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS
  wrong_status   success although work or output is missing; a failure although all is done; death by a
                 signal nobody sent. Death by the signal sent is never wrong.
  survivor       a process of it is still alive after its end
  leftover       files that are neither as before nor as after an undisturbed run, in the directory or in
                 $TMPDIR: STRAY (belongs to neither), EMPTY, PARTIAL (another content or mode), MISSING
  rerun_failed   the same command, run again in what is left, fails or hangs
  noise          a traceback, a sanitizer's report, a corrupted heap, an uncaught exception on stderr
  verify_failed  the --verify command, run in what is left, does not end with status 0

A run in which the signal was not seen to arrive proves nothing: it is counted as "not injected", never
as passed. A request that left no trace (the program went to its normal end) is "swallowed": counted,
no defect; --swallowed lists them.

Exit status:
  0  nothing found        1  defects found
  2  wrong use, or the check cannot be made (also: no request was seen to arrive)
  3  the program fails or cannot be understood when nobody interrupts it
  After Ctrl-C the partial report is printed and the command ends by that signal; a second one ends it at once.)";

} // namespace checker
