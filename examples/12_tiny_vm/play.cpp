// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "play.hpp"

#include "machine.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include <mutex>
#include <string>
#include <system_error>

namespace tiny {

played play(const std::shared_ptr<const program>& code, const settings& how,
            const std::shared_ptr<ledger>& counts) {
  world& of = world::of_this_runtime();
  const std::unique_lock turn{lastcall::the_big_lock()};
  of.begin(code, how, counts);
  machine main{of, role::main};
  played what;
  try {
    main.run_script();
  } catch (const std::exception& error) {
    what.failed = true;
    std::error_code none; // there is nobody else to tell
    if (how.err != nullptr) how.err->write(code->file + ':' + error.what() + '\n', none);
  }
  main.join_all();
  lastcall::checkpoint(); // a request goes before a failure
  what.swallowed = main.answered();
  return what;
}

} // namespace tiny
