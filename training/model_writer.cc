#include "pullback/training/model_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pullback/version.h"

namespace pullback::training {
namespace {

// Stores the layers under prefix.0, prefix.1, … and returns their description for the metadata.
std::string add_layers(const std::string& prefix, const std::vector<Layer>& layers, Safetensors& file) {
  auto list = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string weight = fmt::format("{}.{}.weight", prefix, i);
    const std::string bias = fmt::format("{}.{}.bias", prefix, i);
    file.tensors[weight] = layers[i].weight;
    file.tensors[bias] = layers[i].bias;
    list.push_back({{"weight", weight}, {"bias", bias}, {"activation", layers[i].activation}});
  }
  return list.dump();
}

}  // namespace

void write_trained_model(const Options& options, const Dataset& data, const TrainedModel& model, double final_loss) {
  Safetensors file;
  file.metadata = {{"format", "pullback-model-1"},
                   {"name", options.name},
                   {"kind", to_string(options.kind)},
                   {"image", fmt::format("{},{}", data.train.rows, data.train.columns)},
                   {"dataset", data.description},
                   {"command", options.command},
                   {"seed", fmt::format("{}", options.seed)},
                   {"version", PULLBACK_VERSION},
                   {"final_loss", fmt::format("{:.6g}", final_loss)},
                   {"heldout_loss", fmt::format("{:.6g}", model.heldout_loss)},
                   {"heldout_measure", model.heldout_measure},
                   {"quality", fmt::format("{:.6g}", model.quality)},
                   {"quality_measure", model.quality_measure},
                   {"code_deviation", nlohmann::json(model.code_deviation).dump()},
                   {"regulariser", to_string(options.regularisers)}};
  file.metadata["decoder"] = add_layers("decoder", model.decoder, file);
  if (!model.encoder.empty()) file.metadata["encoder"] = add_layers("encoder", model.encoder, file);
  file.tensors["codes"] = model.codes;
  file.tensors["labels"] = model.labels;
  write_safetensors(options.out, file);
}

}  // namespace pullback::training
