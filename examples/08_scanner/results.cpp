// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "results.hpp"

#include <utility>

std::size_t results::begin(std::string name) {
  files_.push_back({.name = std::move(name)});
  return first_ + files_.size() - 1;
}

void results::end(std::size_t file, std::uint64_t blocks) {
  if (file < first_) return; // failed, and let go
  if (!at(file).over()) at(file).blocks = blocks;
  go_on(file);
}

void results::add(std::size_t file, std::uint64_t block, block_result found,
                  std::shared_ptr<const pattern_list> by) {
  if (file < first_ || at(file).over()) return; // the rest of one that failed
  at(file).early.emplace(block, part{std::move(found), std::move(by)});
  go_on(file);
}

void results::fail(std::size_t file) {
  if (file < first_) return;
  at(file).blocks = at(file).next;
  at(file).early.clear();
  go_on(file);
}

std::string results::take() { return std::exchange(ready_, {}); }

// Only files that are over are let go, from the front.
void results::go_on(std::size_t file) {
  if (!in_order_ || file == first_) print(at(file));
  while (!files_.empty() && files_.front().over()) {
    files_.pop_front();
    ++first_;
    if (!files_.empty()) print(files_.front());
  }
}

void results::print(one_file& file) {
  for (auto one = file.early.find(file.next); one != file.early.end() && !file.over();
       one = file.early.find(file.next)) {
    const auto& [edition, lines, found] = one->second.found;
    for (const match& each : found) {
      ready_.append(file.name).append(1, ':').append(std::to_string(file.lines + each.line));
      ready_.append(1, ':').append(one->second.by->at(each.pattern)).append(1, '\n');
    }
    matches_ += found.size();
    file.lines += lines;
    ++file.next;
    file.early.erase(one);
  }
}
