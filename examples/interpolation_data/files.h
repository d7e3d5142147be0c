// The files of the study and what is written into them of the machine.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace interpolation_data {

using Json = nlohmann::ordered_json;

// Errors: pullback::Error with the path for a file that cannot be read or is not JSON.
Json read_json(const std::filesystem::path& path);

// The file is old or whole. Errors: pullback::Error with the path.
void write_file(const std::filesystem::path& path, const std::string& content);

// Makes the folder where it is missing and checks that files can be written into it. Errors: as above.
void require_writable_folder(const std::filesystem::path& folder);

// How the program was called, quoted for a shell.
std::string command_line(const std::vector<std::string>& arguments);

// {"processors", "instruction_set", "compiler"}.
Json describe_environment();

}  // namespace interpolation_data
