// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

/// What handlers on a shielded thread leave to the end of its shield, such as the call of a handler that was
/// found at installation.
///
/// The end of a shield looks at one flag of its thread, which only handlers on that very thread set; so
/// nothing is paid for it otherwise, and no handler on another thread has to be waited for.
namespace lastcall::detail {

/// Called on the thread whose last shield came down (or ran out: then at the checkpoint that finds it so),
/// once for all that was put off since. Outside of any handler, so it may do what the program may do.
using shield_end_action = void (*)() noexcept;

/// The one action of the process. To be set before the first handler that puts something off can run.
void set_shield_end_action(shield_end_action action) noexcept;

/// For a handler: false when no shield is up on this thread, which means "act now"; otherwise the action will
/// be called here at the end. What it finds to do must be written down before. Async-signal-safe.
bool put_off_to_shield_end() noexcept;

} // namespace lastcall::detail
