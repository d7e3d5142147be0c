// A file to which finished work is appended, so that what was done before a kill is not done again.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "pullback/cli/json_view.h"

namespace pullback::cli {

// One JSON value a line. The first says what the work is; work with another first line may not go on here. A last line
// without its end, as a kill or a full disk leaves it, is dropped.
//
// Thread safety: none; the caller holds a lock.
class Journal {
 public:
  // Opens the journal or begins one, and hands over the entries that are there, one after the other.
  // Errors: pullback::Error with the path when it cannot be read or written, another process works on it, it was begun
  // with another header (naming what differs), or a line is damaged.
  Journal(std::filesystem::path path, const Json& header, const std::function<void(const JsonView&)>& entry);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Errors: pullback::Error when it cannot be written.
  void append(const Json& entry);

 private:
  void write_line(const std::string& line) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace pullback::cli
