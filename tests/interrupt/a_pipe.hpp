// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <gtest/gtest.h>

#include <array>

#include <fcntl.h>
#include <unistd.h>

/// A pipe that closes itself.
struct a_pipe {
  a_pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~a_pipe() {
    close_in();
    ::close(ends[0]);
  }
  a_pipe(const a_pipe&) = delete;
  a_pipe& operator=(const a_pipe&) = delete;

  int out() const { return ends[0]; }
  int in() const { return ends[1]; }
  void put(char byte) const { EXPECT_EQ(::write(in(), &byte, 1), 1); }
  char take() const {
    char byte = 0;
    EXPECT_EQ(::read(out(), &byte, 1), 1);
    return byte;
  }
  void close_in() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  void fill() const {
    const std::array<char, 4096> junk{};
    ::fcntl(in(), F_SETFL, O_NONBLOCK);
    while (::write(in(), junk.data(), junk.size()) > 0) {
    }
    ::fcntl(in(), F_SETFL, 0);
  }

  int ends[2];
};
