#include "pullback/cli/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "pullback/cli/arguments.h"
#include "pullback/generators/error.h"

namespace pullback::cli {

namespace {

namespace fs = std::filesystem;

bool is_header(const std::vector<std::string_view>& fields, int columns) {
  if (static_cast<int>(fields.size()) != columns) return false;
  for (const auto& field : fields) {
    if (field.empty() || parse_number(field)) return false;
  }
  return true;
}

void append_row(const std::string& where, const std::vector<std::string_view>& fields, int columns,
                std::string_view meaning, std::vector<double>& values) {
  if (static_cast<int>(fields.size()) != columns) {
    throw Error(fmt::format("{}: expected {} numbers ({}), got {} field{}", where, columns, meaning, fields.size(),
                            fields.size() == 1 ? "" : "s"));
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto number = parse_number(fields[i]);
    // What a file holds may be anything: quote no more of it than a number could be long.
    if (!number) throw Error(fmt::format("{}: field {} is not a number: \"{:.24}\"", where, i + 1, fields[i]));
    if (!std::isfinite(*number)) {
      throw Error(fmt::format("{}: field {} is {}, expected a finite number", where, i + 1,
                              std::isnan(*number) ? "NaN" : "infinite"));
    }
    values.push_back(*number);
  }
}

bool is_special(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

[[noreturn]] void cannot_write(const fs::path& path, int error) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

// A file beside `path` that did not exist before, opened for writing.
struct TemporaryFile {
  explicit TemporaryFile(const fs::path& target) : path(fmt::format("{}.{}.tmp", target.string(), getpid())) {
    struct stat status {};
    if (stat(target.c_str(), &status) == 0) {
      if (S_ISDIR(status.st_mode)) cannot_write(target, EISDIR);
      if (access(target.c_str(), W_OK) != 0) cannot_write(target, errno);
    }
    descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) cannot_write(target, errno);
  }
  ~TemporaryFile() {
    if (descriptor >= 0) {
      close(descriptor);
      unlink(path.c_str());
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::string path;
  int descriptor = -1;
};

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void write_directly(const fs::path& path, std::string_view content) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) cannot_write(path, errno);
  const bool written = write_all(descriptor, content);
  const int error = errno;
  close(descriptor);
  if (!written) cannot_write(path, error);
}

}  // namespace

std::string read_whole(const fs::path& path, std::string_view expected) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw Error(fmt::format("{}: is a folder, expected {}", path.string(), expected));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  std::ostringstream content;
  content << in.rdbuf();
  if (in.bad()) throw Error(fmt::format("{}: reading it failed: {}", path.string(), std::strerror(errno)));
  return std::move(content).str();
}

Matrix read_table(const fs::path& path, int columns, std::string_view meaning) {
  std::string content = read_whole(path, "a CSV file");
  if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);  // the mark that spreadsheets put first
  std::vector<double> values;
  bool first = true;
  int number = 0;
  for (const std::string_view line : split(content, '\n')) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const auto fields = split(line, ',');
    if (std::exchange(first, false) && is_header(fields, columns)) continue;
    append_row(fmt::format("{}:{}", path.string(), number), fields, columns, meaning, values);
  }
  if (values.empty()) {
    throw Error(fmt::format("{}: has no rows, expected {} numbers a row ({})", path.string(), columns, meaning));
  }
  return Eigen::Map<const Matrix>(values.data(), columns, static_cast<Eigen::Index>(values.size()) / columns);
}

int columns_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return 0;  // what comes through a pipe can be read once
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    const auto fields = split(line, ',');
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (!fields[0].starts_with('#')) return static_cast<int>(fields.size());
  }
  return 0;
}

void require_writable(const fs::path& path) {
  if (is_special(path)) {
    if (access(path.c_str(), W_OK) != 0) cannot_write(path, errno);
    return;
  }
  const TemporaryFile probe(path);
}

void require_writable_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(fmt::format("{}: cannot be made: {}", folder.string(), error.message()));
  if (!fs::is_directory(folder)) cannot_write(folder, ENOTDIR);
  require_writable(folder / "results.json");
}

void write_file(const fs::path& path, std::string_view content) {
  if (is_special(path)) return write_directly(path, content);
  TemporaryFile file(path);
  if (!write_all(file.descriptor, content) || fsync(file.descriptor) != 0) cannot_write(path, errno);
  if (std::rename(file.path.c_str(), path.c_str()) != 0) cannot_write(path, errno);
  close(std::exchange(file.descriptor, -1));
}

void write_standard_output(std::string_view content) {
  if (std::fwrite(content.data(), 1, content.size(), stdout) != content.size() || std::fflush(stdout) != 0) {
    throw Error(fmt::format("standard output: cannot be written: {}", std::strerror(errno)));
  }
}

void write_output(const fs::path& path, std::string_view content) {
  if (path == "-") return write_standard_output(content);
  write_file(path, content);
}

}  // namespace pullback::cli
