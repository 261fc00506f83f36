// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A shared library with a static object: its destructor runs after those of the executable.
#include "lifecycle/neighbour.hpp"

#include <cstring>

#include <unistd.h>

namespace {

struct speaker {
  const char* words = "";
  ~speaker() {
    if (*words != '\0' && write(STDERR_FILENO, words, std::strlen(words)) < 0) _exit(1);
  }
};

speaker last;

} // namespace

void lifecycle_test::say_when_the_library_is_destroyed(const char* words) { last.words = words; }
