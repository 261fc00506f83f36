// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/buffered_reader.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include <array>
#include <iosfwd>
#include <streambuf>

namespace lastcall {

/// A std::streambuf over a writer, so that code which prints to a std::ostream has what a writer promises.
///
/// It has no buffer of its own: each piece that an `operator<<` makes is a record, and pieces of several
/// threads may follow each other in any order, as with std::cout; `record` keeps a line together.
/// `std::flush` flushes the writer.
///
/// Stop: std::ostream would swallow an exception and be broken afterwards, so no request ends a wait in here:
///   it is delivered at the next checkpoint. A daemon whose runtime has ended is parked.
/// Errors: the stream's badbit; which, the writer says.
/// Threads: as the writer. The writer must be there for as long.
class output_buffer final : public std::streambuf {
public:
  explicit output_buffer(buffered_writer& to) noexcept : to_{to} {}

protected:
  int_type overflow(int_type byte) override;
  std::streamsize xsputn(const char* from, std::streamsize size) override;
  int sync() override;

private:
  friend class redirected;
  buffered_writer& to_;
  bool at_its_end_ = false; ///< `sync` waits no longer than a destructor may
};

/// A std::streambuf over a reader.
///
/// Stop: at a request the stream is at its end (eofbit), so that a loop over its lines ends, and the next
///   checkpoint delivers. `clear()` makes it go on.
/// Errors: the end, too; which, `error()` says.
/// Threads: one at a time, as a std::istream; what it has taken from the reader is this object's.
class input_buffer final : public std::streambuf {
public:
  explicit input_buffer(buffered_reader& from) noexcept : from_{from} {}
  std::error_code error() const noexcept { return error_; }

protected:
  int_type underflow() override;

private:
  buffered_reader& from_;
  std::error_code error_;
  std::array<char, 4096> taken_;
};

/// Leads a std::ostream, such as std::cout, into a writer, and puts its old buffer back at its end.
///
///     const lastcall::redirected cout_is_ours{std::cout, lastcall::out()};
///
/// Threads: while it is made and destroyed nobody may use the std::ostream; in between, anybody.
/// Lifetime: destroyed, it flushes the writer, for which it waits no longer than the writer's own destructor.
class redirected {
public:
  redirected(std::ostream& what, buffered_writer& to);
  ~redirected();
  redirected(const redirected&) = delete;
  redirected& operator=(const redirected&) = delete;

private:
  output_buffer buffer_;
  std::ostream& what_;
  std::streambuf* before_;
};

/// Has a std::istream, such as std::cin, read from a reader. What it has taken and not used is lost at the
/// end.
class redirected_input {
public:
  redirected_input(std::istream& what, buffered_reader& from);
  ~redirected_input();
  redirected_input(const redirected_input&) = delete;
  redirected_input& operator=(const redirected_input&) = delete;
  std::error_code error() const noexcept { return buffer_.error(); }

private:
  input_buffer buffer_;
  std::istream& what_;
  std::streambuf* before_;
};

} // namespace lastcall
