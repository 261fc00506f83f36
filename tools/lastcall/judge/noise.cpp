// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/noise.hpp"

#include "judge/mask.hpp"

#include <algorithm>
#include <array>

namespace checker {
namespace {

/// What glibc, libstdc++, the sanitizers and the run-times of other languages write when they give up. All
/// are fixed texts of those programs; nothing here is a word that an orderly ending would use.
constexpr std::array marks{
    std::string_view{"Traceback (most recent call last)"},
    std::string_view{"Exception ignored in"},
    std::string_view{"Exception in thread"},
    std::string_view{"AddressSanitizer"},
    std::string_view{"ThreadSanitizer"},
    std::string_view{"LeakSanitizer"},
    std::string_view{"MemorySanitizer"},
    std::string_view{"UndefinedBehaviorSanitizer"},
    std::string_view{": runtime error: "},
    std::string_view{"terminate called"},
    std::string_view{"pure virtual method called"},
    std::string_view{"double free"},
    std::string_view{"free(): invalid"},
    std::string_view{"realloc(): invalid"},
    std::string_view{"munmap_chunk(): invalid"},
    std::string_view{"malloc(): "},
    std::string_view{"corrupted"},
    std::string_view{"stack smashing detected"},
    std::string_view{"buffer overflow detected"},
    std::string_view{"Fatal"},
    std::string_view{"FATAL"},
    std::string_view{"panic: "},
    std::string_view{"panicked at"},
    std::string_view{"Unhandled exception"},
    std::string_view{"uncaught exception"},
    std::string_view{"Assertion `"},
    std::string_view{"Assertion failed"},
    std::string_view{"Segmentation fault"},
    std::string_view{"(core dumped)"},
};

bool is_noise(std::string_view line) {
  return std::any_of(marks.begin(), marks.end(),
                     [&](std::string_view mark) { return line.find(mark) != std::string_view::npos; });
}

template <class Function>
void for_each_line(std::string_view text, Function&& use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

} // namespace

std::vector<std::string> noise_in(std::string_view err, const std::vector<std::string_view>& undisturbed) {
  std::vector<std::string> found;
  for_each_line(err, [&](std::string_view line) {
    if (is_noise(line)) found.emplace_back(line);
  });
  if (found.empty()) return found;
  std::vector<std::string> usual;
  for (const auto each : undisturbed)
    for_each_line(each, [&](std::string_view line) {
      if (is_noise(line)) usual.push_back(mask_numbers(line));
    });
  std::erase_if(found, [&](const std::string& line) {
    return std::find(usual.begin(), usual.end(), mask_numbers(line)) != usual.end();
  });
  return found;
}

} // namespace checker
