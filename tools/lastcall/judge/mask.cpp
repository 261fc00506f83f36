// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/mask.hpp"

#include <algorithm>

namespace checker {
namespace {

constexpr std::size_t random_part = 6; // the X's of mkstemp

bool digit(char c) { return c >= '0' && c <= '9'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool alphanumeric(char c) { return digit(c) || lower(c) || upper(c); }
bool hexadecimal(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool all(std::string_view text, bool (*is)(char)) { return std::all_of(text.begin(), text.end(), is); }
bool any(std::string_view text, bool (*is)(char)) { return std::any_of(text.begin(), text.end(), is); }

/// A word is of one kind of letter, or Capitalized, or ends in a number; six random ones hardly ever are.
bool looks_random(std::string_view six) {
  const auto kind = [](char c) { return digit(c) ? 'd' : lower(c) ? 'l' : 'u'; };
  int changes = 0;
  for (std::size_t i = 1; i < six.size(); ++i) changes += kind(six[i]) != kind(six[i - 1]);
  if (changes == 0) return false;
  if (changes > 1) return true;
  const bool capitalized = upper(six[0]) && lower(six[1]);
  const bool numbered = digit(six.back());
  return !capitalized && !numbered;
}

void mask_tail(std::string& word, std::size_t count) { word.replace(word.size() - count, count, count, '?'); }

/// `word` is a longest run of letters and digits in a name; `alone` says that it is the whole name.
std::string mask_word(std::string word, bool alone) {
  const bool digest_directory = alone && word.size() == 2 && all(word, hexadecimal);
  const bool digest = word.size() >= 8 && all(word, hexadecimal) && any(word, digit);
  if (digest_directory || digest) {
    mask_tail(word, word.size());
  } else if (word.size() >= random_part &&
             looks_random(std::string_view(word).substr(word.size() - random_part))) {
    mask_tail(word, random_part);
  } else {
    const auto number = std::find_if_not(word.rbegin(), word.rend(), digit) - word.rbegin();
    mask_tail(word, static_cast<std::size_t>(number));
  }
  return word;
}

} // namespace

std::string mask_path(std::string_view path) {
  std::string masked;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t end = at;
    while (end < path.size() && alphanumeric(path[end])) ++end;
    if (end == at) {
      masked += path[at++];
      continue;
    }
    const bool starts = at == 0 || path[at - 1] == '/';
    const bool ends = end == path.size() || path[end] == '/';
    masked += mask_word(std::string(path.substr(at, end - at)), starts && ends);
    at = end;
  }
  return masked;
}

std::string mask_numbers(std::string_view line) {
  std::string masked;
  for (std::size_t at = 0; at < line.size();) {
    const bool address = line.substr(at, 2) == "0x";
    std::size_t end = address ? at + 2 : at;
    while (end < line.size() && (address ? hexadecimal(line[end]) : digit(line[end]))) ++end;
    if (end == at) {
      masked += line[at++];
      continue;
    }
    masked += '#';
    at = end;
  }
  return masked;
}

bool same_under_mask(std::string_view left, std::string_view right) noexcept {
  if (left.size() != right.size()) return false;
  const auto wild = [](std::string_view text, std::size_t at) {
    if (text[at] != '?') return false;
    std::size_t first = at;
    while (first > 0 && text[first - 1] == '?') --first;
    const auto end = std::min(text.find_first_not_of('?', at), text.size());
    return end - first >= random_part;
  };
  const auto fits = [](char c) { return alphanumeric(c) || c == '?'; };
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] == right[i]) continue;
    if (wild(left, i) ? fits(right[i]) : wild(right, i) && fits(left[i])) continue;
    return false;
  }
  return true;
}

} // namespace checker
