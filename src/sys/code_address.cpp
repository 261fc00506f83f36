// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/code_address.hpp"

#include <algorithm>
#include <cstring>

#include <link.h>

namespace lastcall::sys {

namespace {

struct search {
  std::uintptr_t address = 0;
  const char* name = nullptr; // of the one looked for, or of the one found
  std::uintptr_t base = 0;
  bool found = false;
};

bool holds(const dl_phdr_info& image, std::uintptr_t address) noexcept {
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const auto& part = image.dlpi_phdr[i];
    const std::uintptr_t from = image.dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD && address >= from && address - from < part.p_memsz) return true;
  }
  return false;
}

// The base of a program that is not position-independent is 0, so the found bit is apart; callers get base +
// 1 page of nothing never: a base of 0 is told as 1, which is no base that a loader gives.
std::uintptr_t told(const search& what) noexcept {
  if (!what.found) return 0;
  return what.base == 0 ? 1 : what.base;
}

} // namespace

std::uintptr_t image_of(const void* address, char* name, std::size_t room) noexcept {
  search what{reinterpret_cast<std::uintptr_t>(address)};
  ::dl_iterate_phdr(
      [](dl_phdr_info* image, std::size_t, void* into) {
        auto& wanted = *static_cast<search*>(into);
        if (!holds(*image, wanted.address)) return 0;
        wanted.found = true;
        wanted.base = image->dlpi_addr;
        wanted.name = image->dlpi_name;
        return 1;
      },
      &what);
  if (room > 0) {
    const std::size_t size = what.name == nullptr ? 0 : std::min(std::strlen(what.name), room - 1);
    std::memcpy(name, what.name == nullptr ? "" : what.name, size);
    name[size] = '\0';
  }
  return told(what);
}

std::uintptr_t image_named(const char* name) noexcept {
  search what{0, name};
  ::dl_iterate_phdr(
      [](dl_phdr_info* image, std::size_t, void* into) {
        auto& wanted = *static_cast<search*>(into);
        if (std::strcmp(image->dlpi_name, wanted.name) != 0) return 0;
        wanted.found = true;
        wanted.base = image->dlpi_addr;
        return 1;
      },
      &what);
  return told(what);
}

} // namespace lastcall::sys
