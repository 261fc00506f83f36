// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/json_report.hpp"

#include "report/reproduce.hpp"
#include "report/summary.hpp"
#include "subject/signal_name.hpp"
#include "subject/write_all.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace checker {
namespace {

using json = nlohmann::ordered_json;

json as_json(const options& with, const finding& found) {
  json each;
  each["verdict"] = to_string(found.shown.what);
  each["signature"] = found.shown.signature;
  each["sentence"] = found.shown.sentence;
  each["count"] = found.count;
  each["key"] = found.at.asked.where.key();
  each["signal"] = signal_name(found.at.asked.signal);
  each["position"] = to_string(found.at.asked.where.at);
  each["scope"] = to_string(found.at.asked.scope);
  each["files"] = found.shown.files;
  each["status"] = to_string(found.end);
  each["stderr"] = excerpt(found.err);
  each["reproduce"] = reproduce_line(with, found.at.asked);
  const auto strace = strace_line(with, found.at);
  each["strace"] = strace ? json(*strace) : json(nullptr);
  for (const auto& [where, count] : found.positions) each["positions"][std::string(to_string(where))] = count;
  for (const auto& [signal, count] : found.signals) each["signals"][signal_name(signal)] = count;
  return each;
}

void write_text(int fd, std::string_view text, const std::filesystem::path& file) {
  if (const int error = write_all(fd, text))
    throw std::system_error(error, std::generic_category(), "cannot write " + file.string());
}

void close_written(int fd, const std::filesystem::path& file) {
  if (::close(fd) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
}

/// Removes the temporary file again unless it was renamed.
struct temporary {
  std::string name;
  ~temporary() {
    if (!name.empty()) ::unlink(name.c_str());
  }
};

void replace(const std::filesystem::path& file, const std::string& text) {
  temporary made{file.string() + ".XXXXXX"};
  const int fd = ::mkostemp(made.name.data(), O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    made.name.clear();
    throw std::system_error(error, std::generic_category(), "cannot write " + file.string());
  }
  try {
    const mode_t masked = ::umask(0);
    ::umask(masked);
    ::fchmod(fd, 0666 & ~masked);
    write_text(fd, text, file);
  } catch (...) {
    ::close(fd);
    throw;
  }
  close_written(fd, file);
  if (::rename(made.name.c_str(), file.c_str()) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
  made.name.clear();
}

} // namespace

std::string json_report(const options& with, const outcome& result, const tally& seen) {
  json report;
  report["subject"] = with.argv;
  report["points"] = result.points;
  report["planned"] = result.planned;
  report["runs"] = seen.runs();
  report["not_injected"] = seen.count_not_injected();
  report["swallowed"] = seen.swallowed().size();
  report["moved"] = result.moved ? json(*result.moved) : json(nullptr);
  report["partial"] = is_partial(result);
  report["interrupted"] = result.interrupted;
  report["out_of_budget"] = result.out_of_budget;
  report["isolation"] = to_string(result.used);
  report["elapsed_s"] = result.elapsed.count();
  report["runs_per_s"] =
      result.elapsed.count() > 0 ? static_cast<double>(seen.runs()) / result.elapsed.count() : 0.0;
  report["findings"] = json::array();
  for (const auto& each : seen.findings()) report["findings"].push_back(as_json(with, each));
  report["not_injected_reasons"] = json::array();
  for (const auto& [reason, which] : seen.reasons())
    report["not_injected_reasons"].push_back(
        {{"reason", reason}, {"count", which.count}, {"key", which.at.asked.where.key()}});
  return report.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

void write_report(const std::filesystem::path& file, const std::string& text) {
  if (file == "-") return write_text(STDOUT_FILENO, text, "standard output");
  struct stat facts {};
  const bool special = ::stat(file.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode);
  if (!special) return replace(file, text);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
  try {
    write_text(fd, text, file);
  } catch (...) {
    ::close(fd);
    throw;
  }
  close_written(fd, file);
}

} // namespace checker
