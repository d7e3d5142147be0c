// Reading tables and writing outputs whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "pullback/base/atomic_file.h"
#include "pullback/base/types.h"

namespace pullback::cli {

// Rows of `columns` numbers separated by commas, returned as columns: columns×K, K ≥ 1. Blank lines and lines that
// start with '#' are skipped, and so is a first line of as many fields none of which is a number: a header. `meaning`
// says in errors what a row holds ("a point of dimension 2"). Errors: pullback::Error with path and line for a file
// that cannot be read, a row of another length, a field that is not a finite number, or no row at all.
Matrix read_table(const std::filesystem::path& path, int columns, std::string_view meaning);

// How many fields the first row of a table has; 0 where that cannot be told beforehand: no regular file, or no row.
int columns_of(const std::filesystem::path& path);

// Throws pullback::Error unless a file can be written at `path`, so that hours of work do not end in "permission
// denied". Leaves nothing behind.
void require_writable(const std::filesystem::path& path);

// Makes the folder where it is missing and checks that files can be written into it. Errors: as above.
void require_writable_folder(const std::filesystem::path& folder);

// Writes as AtomicFile does, so that `path` is old or whole. What is not a regular file (/dev/null, a pipe) is written
// directly. Errors: pullback::Error with the path.
void write_file(const std::filesystem::path& path, std::string_view content);

// Files that belong together, such as results and their report: all are old, or all are whole. Errors: as above.
void write_files(const FileContents& files);

// Errors: pullback::Error when not all of it could be written (a full disk behind a redirection).
void write_standard_output(std::string_view content);

// As write_files(), with what is for "-" on standard output and what is for an empty path nowhere.
void write_outputs(const FileContents& outputs);

}  // namespace pullback::cli
