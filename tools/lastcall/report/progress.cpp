// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/progress.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace checker {
namespace {

std::size_t columns_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

std::string progress_line(std::size_t done, std::size_t planned, std::size_t findings,
                          std::chrono::duration<double> elapsed, std::size_t columns) {
  const double speed = elapsed.count() > 0 ? static_cast<double>(done) / elapsed.count() : 0;
  const auto left =
      speed > 0 ? static_cast<long>(static_cast<double>(planned - std::min(done, planned)) / speed) : 0;
  const auto text = fmt::format("{:>6}/{} runs  {:.0f}/s  {} found  {}:{:02} left", done, planned, speed,
                                findings, left / 60, left % 60);
  const std::size_t room =
      columns > text.size() + 5 ? std::min<std::size_t>(columns - text.size() - 5, 40) : 0;
  if (room < 5) return text.substr(0, columns > 0 ? columns - 1 : 0);
  const auto filled = planned == 0 ? room : std::min(room, room * done / planned);
  return fmt::format("[{}{}] {}", std::string(filled, '#'), std::string(room - filled, '-'), text);
}

progress::progress(int fd, wanted how) : fd_(fd), on_(how == wanted::if_terminal && ::isatty(fd) == 1) {}

void progress::note(const char* what) {
  if (on_) draw(what);
}

void progress::update(std::size_t done, std::size_t planned, std::size_t findings) {
  if (!on_) return;
  const auto now = clock::now();
  if (started_ == clock::time_point{}) started_ = now;
  if (now < next_ && done < planned) return;
  next_ = now + std::chrono::milliseconds(100);
  draw(progress_line(done, planned, findings, now - started_, columns_of(fd_)));
}

void progress::draw(const std::string& line) {
  const auto text = "\r\033[K" + line;
  drawn_ = ::write(fd_, text.data(), text.size()) > 0;
}

void progress::clear() noexcept {
  if (!drawn_) return;
  drawn_ = ::write(fd_, "\r\033[K", 4) < 0;
}

} // namespace checker
