// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/log_output.hpp"

#include "sys/output.hpp"

#include <cerrno>

namespace lastcall::detail {

void log_output::add(std::string_view record) noexcept {
  ++tally_.taken;
  const bool ends = !record.empty() && record.back() == '\n';
  const std::size_t size = record.size() + (ends ? 0 : 1);
  // Only what waits because of an error is held against the limit: a flush comes before it is.
  if (pending_.size() + size > keep_) flush();
  if (pending_.size() + size > keep_ && !pending_.empty()) {
    ++tally_.lost;
    return;
  }
  try {
    pending_.reserve(pending_.size() + size);
    sizes_.push_back(size);
    pending_ += record;
    if (!ends) pending_ += '\n';
  } catch (...) {
    ++tally_.lost;
  }
}

void log_output::flush() noexcept {
  std::size_t from = 0;
  while (from < pending_.size()) {
    const auto result = sys::write(fd_, pending_.data() + from, pending_.size() - from);
    if (result == -EINTR) continue;
    if (result == -EAGAIN) {
      sys::poll_writable(fd_, -1);
      continue;
    }
    if (result <= 0) {
      if (tally_.error == 0) tally_.error = result == 0 ? EIO : static_cast<std::int32_t>(-result);
      break;
    }
    from += static_cast<std::size_t>(result);
    done_ += static_cast<std::size_t>(result);
    while (!sizes_.empty() && done_ >= sizes_.front()) {
      done_ -= sizes_.front();
      sizes_.pop_front();
      ++tally_.written;
    }
  }
  pending_.erase(0, from);
}

log_tally log_output::finish() noexcept {
  flush();
  tally_.lost += sizes_.size();
  tally_.torn = done_ > 0 ? 1 : 0;
  return tally_;
}

} // namespace lastcall::detail
