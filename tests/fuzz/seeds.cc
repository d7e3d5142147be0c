// Writes the valid seeds of the binary formats: fuzz_seeds CORPUS. make_seeds writes those of the others.
#include <caffe2/serialize/inline_container.h>
#include <torch/script.h>

#include <filesystem>
#include <string>
#include <utility>

#include "pullback/base/safetensors.h"
#include "pullback/generators/network/model_file.h"
#include "pullback/training/checkpoint.h"
#include "tests/base/idx_files.h"

namespace {

namespace fs = std::filesystem;
using namespace pullback;

constexpr const char* kDecoder =
    R"([{"weight":"w1","bias":"b1","activation":"tanh"},{"weight":"w2","bias":"b2","activation":"identity"}])";
constexpr const char* kEncoder = R"([{"weight":"e","bias":"b1","activation":"identity"}])";
constexpr const char* kMembers = R"([[{"weight":"w","bias":"b2","activation":"elu","parameter":1}]])";

// z ↦ three numbers through two layers, with codes, labels and what each kind of uncertainty needs.
Safetensors model(const char* format, const char* uncertainty) {
  Safetensors file;
  file.metadata = {{"format", format}, {"name", "little"}, {"decoder", kDecoder}, {"members", kMembers}};
  if (*uncertainty != '\0') file.metadata["uncertainty"] = uncertainty;
  if (*uncertainty == '\0') file.metadata["encoder"] = kEncoder;
  file.tensors["w1"] = Tensor::from_float({2, 2}, {1, 0, 0.5F, 1});
  file.tensors["b1"] = Tensor::from_float({2}, {0, 0.25F});
  file.tensors["w2"] = Tensor::from_float({3, 2}, {1, 0, 0, 1, 1, 1});
  file.tensors["b2"] = Tensor::from_float({3}, {0, 0, 1});
  file.tensors["w"] = Tensor::from_float({3, 2}, {3, 0, 0, 1, 1, 1});
  file.tensors["e"] = Tensor::from_float({2, 3}, {3, 0, 0, 1, 1, 1});
  file.tensors["uncertainty.centres"] = Tensor::from_float({1, 2}, {0, 0});
  file.tensors["uncertainty.rates"] = Tensor::from_float({1, 2}, {1, 1});
  file.tensors["uncertainty.weight"] = Tensor::from_float({3, 1}, {1, 1, 4});
  file.tensors["uncertainty.floor"] = Tensor::from_float({3}, {0.25F, 0.25F, 0.25F});
  file.tensors["process.inputs"] = Tensor::from_float({3, 2}, {0, 0, 1, 0, 0, 1});
  file.tensors["process.outputs"] = Tensor::from_float({3, 2}, {0, 0, 1, 0.5F, -0.5F, 1});
  file.tensors["process.offset"] = Tensor::from_float({2}, {0, 0});
  file.tensors["process.lengths"] = Tensor::from_float({2}, {1, 1});
  file.tensors["process.variances"] = Tensor::from_float({2}, {1, 0.01F});
  file.tensors["codes"] = Tensor::from_float({2, 2}, {0, 1, 2, 3});
  file.tensors["labels"] = Tensor::from_bytes({2}, {7, 1});
  return file;
}

void write_models(const fs::path& folder) {
  write_safetensors(folder / "valid-model", model(kModelFormat, ""));
  for (const char* kind : {"rbf", "ensemble", "gp"}) {
    write_safetensors(folder / ("valid-" + std::string(kind)), model(kUncertaintyFormat, kind));
  }
  Safetensors plain;
  plain.tensors["empty"] = Tensor::from_float({0, 3}, {});
  plain.tensors["scalar"] = Tensor::from_float({}, {1});
  write_safetensors(folder / "valid-plain", plain);
}

void write_checkpoints(const fs::path& folder) {
  training::Checkpoint checkpoint{R"({"epochs":30,"seed":1})", 12, 0.1, {}};
  checkpoint.state["weight"] = Tensor::from_float({2}, {1.5F, -3});
  checkpoint.state["random"] = Tensor::from_bytes({3}, {1, 2, 3});
  write_checkpoint(folder / "valid", checkpoint);
  checkpoint.settings = R"({"epochs":40,"deeper":{"seed":[1]}})";
  write_checkpoint(folder / "other-settings", checkpoint);
}

// Two bytes say how many of the rest are the images.
void write_images(const fs::path& folder) {
  const std::string images = training::image_header(2, 3, 2) + std::string("\x00\x10\xff\x80\x01\x02", 6) + "abcdef";
  const std::string labels = training::label_header(2) + std::string("\x00\x09", 2);
  const auto write = [&](const char* name, const std::string& first, const std::string& second) {
    const std::string length{static_cast<char>(first.size() & 255), static_cast<char>(first.size() >> 8)};
    training::put(folder / name, length + first + second);
  };
  write("valid-plain", images, labels);
  write("valid-gzip", training::gzipped(images), training::gzipped(labels));
  write("valid-mixed", images, training::gzipped(labels));
  const std::string many = training::image_header(4096, 1, 1) + std::string(4096, '\0');
  write("valid-zeros", training::gzipped(many), training::gzipped(training::label_header(4096) + std::string(4096, 1)));
}

void write_archives(const fs::path& folder) {
  torch::jit::Module module("Model");
  module.register_parameter("W", torch::ones({3, 2}), false);
  module.register_attribute("latent_dimension", torch::jit::IntType::get(), 2);
  module.define("def forward(self, x: Tensor) -> Tensor:\n    return torch.linear(torch.tanh(x), self.W)\n");
  module.save((folder / "valid-module").string());
  const std::vector<char> pickled = torch::jit::pickle_save(torch::ones({2}));
  training::put(folder / "tensor", {pickled.begin(), pickled.end()});
  // Records as they come out of an archive.
  caffe2::serialize::PyTorchStreamReader reader((folder / "valid-module").string());
  for (const auto& [record, name] : {std::pair{"data.pkl", "valid-pickle"}, {"constants.pkl", "valid-constants"}}) {
    const auto [data, size] = reader.getRecord(record);
    training::put(folder / name, {static_cast<const char*>(data.get()), size});
  }
  training::put(folder / "valid-source",
                "class Model(Module):\n  W : Tensor\n  def forward(self, x: Tensor) -> Tensor:\n"
                "    return torch.linear(torch.tanh(x), self.W)\n");
  training::put(folder / "empty-zip", std::string("PK\x05\x06") + std::string(18, '\0'));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const fs::path corpus = argv[1];
  for (const char* reader : {"safetensors", "checkpoint", "idx", "archive"}) fs::create_directories(corpus / reader);
  write_models(corpus / "safetensors");
  write_checkpoints(corpus / "checkpoint");
  write_images(corpus / "idx");
  write_archives(corpus / "archive");
}
