// The state of a training that can go on after a kill.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "pullback/base/safetensors.h"

namespace pullback::training {

struct Checkpoint {
  std::string settings;  // of settings_text()
  int epoch = 0;         // how many are done
  double loss = 0;       // of the last one
  std::map<std::string, Tensor> state;
};

// Writes a checkpoint beside its place and renames it, so that a kill leaves the old one or the new one.
// Errors: pullback::Error with the path.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// Reads a checkpoint; nothing when there is no such file.
// Errors: pullback::Error with the path when the file is damaged (its tensors carry a checksum), no checkpoint, or made
// with other settings, in which case the message names what differs.
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path, const std::string& settings);

}  // namespace pullback::training
