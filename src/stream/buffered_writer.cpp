// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/buffered_writer.hpp>

#include "stream/output_stream.hpp"

#include <utility>

namespace lastcall {

buffered_writer::buffered_writer(raw_fd fd, const stream_options& options)
    : stream_{new detail::output_stream{std::move(fd), options}} {}

buffered_writer::~buffered_writer() {
  if (stream_->finish()) delete stream_;
}

std::size_t buffered_writer::write(std::string_view record) {
  return stream_->write(record.data(), record.size(), nullptr);
}
std::size_t buffered_writer::write(std::string_view record, std::error_code& error) noexcept {
  return stream_->write(record.data(), record.size(), &error);
}
std::size_t buffered_writer::write(std::span<const std::byte> record) {
  return stream_->write(record.data(), record.size(), nullptr);
}
std::size_t buffered_writer::write(std::span<const std::byte> record, std::error_code& error) noexcept {
  return stream_->write(record.data(), record.size(), &error);
}

void buffered_writer::flush() { stream_->flush(nullptr); }
void buffered_writer::flush(std::error_code& error) noexcept { stream_->flush(&error); }
void buffered_writer::close() { stream_->close(nullptr); }
void buffered_writer::close(std::error_code& error) noexcept { stream_->close(&error); }

std::error_code buffered_writer::error() const noexcept { return stream_->error(); }
void buffered_writer::clear_error() noexcept { stream_->clear_error(); }
stream_counts buffered_writer::counts() const noexcept { return stream_->counts(); }
const std::string& buffered_writer::name() const noexcept { return stream_->name(); }
int buffered_writer::fd() const noexcept { return stream_->fd(); }

} // namespace lastcall
