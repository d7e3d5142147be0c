#include "pullback/cli/files.h"
#include "pullback/base/parse.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "pullback/base/error.h"
#include "pullback/cli/arguments.h"
#include "pullback/cli/streams.h"

namespace pullback::cli {

namespace {

namespace fs = std::filesystem;

// Fields without blanks and quotes around them, which spreadsheets write.
std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields = split(line, ',');
  for (std::string_view& field : fields) {
    field = trim(field);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
  }
  return fields;
}

// What a file holds may be anything: no more of it than a number could be long, and nothing that a terminal obeys.
std::string quoted(std::string_view field) {
  std::string out(field.substr(0, 24));
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

bool is_header(const std::vector<std::string_view>& fields) {
  return std::ranges::none_of(fields, [](std::string_view field) { return field.empty() || parse_number(field); });
}

// Before the line is taken apart, so that a line of a gigabyte costs no more than itself.
void require_columns(const std::string& where, std::string_view line, int columns, std::string_view meaning) {
  const auto found = 1 + std::ranges::count(line, ',');
  if (found == columns) return;
  throw Error(fmt::format("{}: expected {} numbers ({}), got {} field{}", where, columns, meaning, found,
                          found == 1 ? "" : "s"));
}

void append_row(const std::string& where, const std::vector<std::string_view>& fields, std::vector<double>& values) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto number = parse_number(fields[i]);
    if (!number) throw Error(fmt::format("{}: field {} is not a number: \"{}\"", where, i + 1, quoted(fields[i])));
    const std::string fault = number_fault(fields[i]);
    if (!fault.empty()) throw Error(fmt::format("{}: field {} {}", where, i + 1, fault));
    values.push_back(*number);
  }
}

[[noreturn]] void cannot_write(const fs::path& path, int error) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

// The next line of `text`, without its end; what was taken is removed.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

Matrix read_table(const fs::path& path, int columns, std::string_view meaning) {
  const std::string content = read_whole(path, "a CSV file");
  std::string_view rest = content;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // the mark that spreadsheets put first
  std::vector<double> values;
  bool first = true;
  for (int number = 1; !rest.empty(); ++number) {
    const std::string_view line = trim(take_line(rest));
    if (line.empty() || line.front() == '#') continue;
    const std::string where = fmt::format("{}:{}", path.string(), number);
    require_columns(where, line, columns, meaning);
    const auto fields = fields_of(line);
    if (std::exchange(first, false) && is_header(fields)) continue;
    append_row(where, fields, values);
  }
  if (values.empty()) {
    throw Error(fmt::format("{}: has no rows, expected {} numbers a row ({})", path.string(), columns, meaning));
  }
  return Eigen::Map<const Matrix>(values.data(), columns, static_cast<Eigen::Index>(values.size()) / columns);
}

int columns_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return 0;  // what comes through a pipe can be read once
  const std::string content = read_whole(path, "a CSV file");
  std::string_view rest = content;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  while (!rest.empty()) {
    const std::string_view line = trim(take_line(rest));
    if (!line.empty() && line.front() != '#') return static_cast<int>(split(line, ',').size());
  }
  return 0;
}

void require_writable(const fs::path& path) {
  if (is_special(path)) {
    if (access(path.c_str(), W_OK) != 0) cannot_write(path, errno);
    return;
  }
  const AtomicFile probe(path);
}

void require_writable_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(fmt::format("{}: cannot be made: {}", folder.string(), error.message()));
  if (!fs::is_directory(folder)) cannot_write(folder, ENOTDIR);
  require_writable(folder / "results.json");
}

void write_file(const fs::path& path, std::string_view content) { write_files({{path, content}}); }

void write_files(const FileContents& files) {
  FileContents regular;
  for (const auto& file : files) {
    if (!is_special(file.first)) regular.push_back(file);
  }
  write_atomically(regular);
  for (const auto& [path, content] : files) {
    if (is_special(path)) write_special(path, content);
  }
}

void write_standard_output(std::string_view content) {
  if (std::fwrite(content.data(), 1, content.size(), stdout) != content.size() || std::fflush(stdout) != 0) {
    throw Error(fmt::format("standard output: cannot be written: {}", std::strerror(errno)));
  }
}

void write_outputs(const FileContents& outputs) {
  FileContents files;
  for (const auto& output : outputs) {
    if (!output.first.empty() && output.first != "-") files.push_back(output);
  }
  write_files(files);
  for (const auto& [path, content] : outputs) {
    if (path == "-") write_standard_output(content);
  }
}

}  // namespace pullback::cli
