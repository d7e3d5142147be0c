// What the fuzzers of the readers share.
//
// A fuzzer is one source with read_input(), which hands the bytes to a reader and lets pass only what that promises to
// throw. Anything else that leaves it, and anything that a sanitizer sees, ends the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pullback/base/error.h"

namespace pullback::fuzz {

// What a fuzzer defines.
void read_input(std::string_view input);

// How many reads were not refused so far. A seed that is named as a valid one must raise it (replay.cc).
inline std::size_t accepted = 0;

// The first byte of the input, removed from it; 0 where it is empty.
inline std::uint8_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

// Calls a reader, which may refuse: with pullback::Error for files, with std::invalid_argument for text.
template <class Read>
void expect_read_or_refused(Read read) {
  try {
    read();
  } catch (const Error&) {
    return;
  } catch (const std::invalid_argument&) {
    return;
  }
  ++accepted;
}

// A folder, made at the first call, removed at the end, and the working folder from then on, so that a name in an input
// meets no file.
const std::filesystem::path& scratch_folder();

// Writes a file into that folder and returns its path. A file of the same name is replaced.
std::filesystem::path put(const std::string& name, std::string_view content);

// What the tool prints is not wanted here.
void silence_standard_output();

}  // namespace pullback::fuzz
