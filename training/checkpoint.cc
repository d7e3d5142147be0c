#include "pullback/training/checkpoint.h"

#include <fmt/format.h>
#include <zlib.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "pullback/base/error.h"

namespace pullback::training {
namespace {

constexpr int kDeepest = 4;
constexpr const char* kFormat = "pullback-checkpoint-1";

std::string checksum(const std::map<std::string, std::string>& metadata, const std::map<std::string, Tensor>& tensors) {
  uLong crc = crc32(0, nullptr, 0);
  const auto add = [&](const void* data, std::size_t size) {
    crc = crc32_z(crc, static_cast<const Bytef*>(data), size);
  };
  for (const auto& [key, value] : metadata) {
    if (key == "checksum") continue;
    add(key.data(), key.size() + 1);
    add(value.data(), value.size() + 1);
  }
  for (const auto& [name, tensor] : tensors) {
    add(name.data(), name.size() + 1);
    add(tensor.data.data(), tensor.data.size());
  }
  return fmt::format("{:08x}", crc);
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw Error(fmt::format("{}: {}; delete it or give --fresh to begin anew", path.string(), why));
}

// "epochs 30 (now 40), seed 1 (now 2)"
std::string differences(const std::string& then, const std::string& now) {
  // What is nested deeper than settings are is left out: printing it would recurse as deep.
  const auto shallow = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) { return depth <= kDeepest; };
  const auto old_settings = nlohmann::json::parse(then, shallow, false);
  const auto new_settings = nlohmann::json::parse(now);
  if (!old_settings.is_object()) return "settings that cannot be read";
  std::set<std::string> keys;
  for (const auto& item : old_settings.items()) keys.insert(item.key());
  for (const auto& item : new_settings.items()) keys.insert(item.key());
  std::string text;
  for (const std::string& key : keys) {
    const auto value = [&key](const nlohmann::json& settings) {
      return settings.contains(key) ? settings[key].dump() : std::string("unset");
    };
    if (value(old_settings) == value(new_settings)) continue;
    text += fmt::format("{}{} {} (now {})", text.empty() ? "" : ", ", key, value(old_settings), value(new_settings));
  }
  return text;
}

template <typename T>
T parse_number(const std::filesystem::path& path, const std::string& text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) refuse(path, "damaged checkpoint");
  return value;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  Safetensors file;
  file.tensors = checkpoint.state;
  file.metadata = {{"format", kFormat},
                   {"settings", checkpoint.settings},
                   {"epoch", fmt::format("{}", checkpoint.epoch)},
                   {"loss", fmt::format("{}", checkpoint.loss)}};  // shortest text that reads back to the same number
  file.metadata["checksum"] = checksum(file.metadata, file.tensors);
  write_safetensors(path, file);
}

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path, const std::string& settings) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  Safetensors file;
  try {
    file = read_safetensors(path);
  } catch (const Error& error) {
    throw Error(fmt::format("{} (damaged checkpoint); delete it or give --fresh to begin anew", error.what()));
  }
  if (file.metadata["format"] != kFormat) refuse(path, "not a checkpoint of this version");
  if (file.metadata["checksum"] != checksum(file.metadata, file.tensors)) {
    refuse(path, "damaged checkpoint, its checksum does not hold");
  }
  if (file.metadata["settings"] != settings) {
    refuse(path, "checkpoint of other settings: " + differences(file.metadata["settings"], settings));
  }
  return Checkpoint{settings, parse_number<int>(path, file.metadata["epoch"]),
                    parse_number<double>(path, file.metadata["loss"]), std::move(file.tensors)};
}

}  // namespace pullback::training
