// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/buffered_reader.hpp>
#include <lastcall/stream/buffered_writer.hpp>

namespace lastcall {

/// Standard output, standard error and standard input as streams.
///
///     lastcall::out().write("ready\n");
///
/// They are made at their first use and never destroyed: a destructor of a static object, a daemon and a
/// foreign thread may use them at any time. Output goes by line to a terminal and by block elsewhere, errors
/// always by line.
///
/// Limits: what goes through stdio or std::cout to the same descriptor has a buffer of its own and another
///   order; `redirected` (stream_buffer.hpp) leads std::cout in here. The first use may throw std::bad_alloc.
buffered_writer& out();
buffered_writer& err();
buffered_reader& in();

} // namespace lastcall
