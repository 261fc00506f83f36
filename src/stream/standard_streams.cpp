// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/standard_streams.hpp>

#include <lastcall/runtime/immortal.hpp>

namespace lastcall {

buffered_writer& out() {
  static immortal<buffered_writer> the_stream{raw_fd::borrow(1), stream_options{.name = "standard output"}};
  return *the_stream;
}

buffered_writer& err() {
  static immortal<buffered_writer> the_stream{
      raw_fd::borrow(2), stream_options{.name = "standard error", .flush = flush_mode::line}};
  return *the_stream;
}

buffered_reader& in() {
  static immortal<buffered_reader> the_stream{raw_fd::borrow(0), stream_options{.name = "standard input"}};
  return *the_stream;
}

} // namespace lastcall
