#include "pullback/generators/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pullback/generators/error.h"
#include "pullback/generators/safetensors.h"

namespace pullback {
namespace {

using Json = nlohmann::json;
using Shape = std::vector<std::int64_t>;

constexpr const char* kFormat = "pullback-model-1";

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  return text + "]";
}

// Reads the parts of one file; every error carries its path.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), file_(read_safetensors(path)) {}

  ModelFile read();

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(fmt::format("{}: {}", path_.string(), what)); }

  const std::string* metadata(const std::string& key) const;
  const Tensor* find(const std::string& name) const;
  Vector elements(const std::string& name, const Tensor& tensor) const;
  std::string tensor_name(const Json& layer, const char* key, const std::string& where) const;
  Layer read_layer(const Json& layer, const std::string& where) const;
  std::shared_ptr<const Network> read_network(const std::string& part, const std::string& text) const;
  Matrix read_codes(int latent_dimension) const;
  std::vector<int> read_labels(Eigen::Index codes) const;

  const std::filesystem::path& path_;
  Safetensors file_;
};

const std::string* Reader::metadata(const std::string& key) const {
  const auto found = file_.metadata.find(key);
  return found == file_.metadata.end() ? nullptr : &found->second;
}

const Tensor* Reader::find(const std::string& name) const {
  const auto found = file_.tensors.find(name);
  return found == file_.tensors.end() ? nullptr : &found->second;
}

// In file order, all finite.
Vector Reader::elements(const std::string& name, const Tensor& tensor) const {
  const std::vector<double> values = tensor.to_double();
  if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); })) {
    fail(fmt::format("tensor '{}' has an element that is NaN or infinite", name));
  }
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

std::string Reader::tensor_name(const Json& layer, const char* key, const std::string& where) const {
  const auto found = layer.find(key);
  if (found == layer.end() || !found->is_string()) fail(fmt::format("{} must have a string '{}'", where, key));
  return found->get<std::string>();
}

Layer Reader::read_layer(const Json& layer, const std::string& where) const {
  if (!layer.is_object()) fail(fmt::format("{} must be a JSON object", where));
  for (const auto& [key, value] : layer.items()) {
    if (key != "weight" && key != "bias" && key != "activation" && key != "parameter") {
      fail(fmt::format("{} has the unknown key '{}'; choices: weight, bias, activation, parameter", where, key));
    }
  }
  const std::string weight_name = tensor_name(layer, "weight", where);
  const std::string bias_name = tensor_name(layer, "bias", where);
  const Tensor* weight = find(weight_name);
  const Tensor* bias = find(bias_name);
  if (weight == nullptr) fail(fmt::format("{} names the tensor '{}', which is missing", where, weight_name));
  if (bias == nullptr) fail(fmt::format("{} names the tensor '{}', which is missing", where, bias_name));
  if (weight->shape.size() != 2) {
    fail(fmt::format("tensor '{}' must have the shape [outputs, inputs], got {}", weight_name,
                     shape_text(weight->shape)));
  }
  if (bias->shape != Shape{weight->shape[0]}) {
    fail(fmt::format("tensor '{}' must have the shape [{}], one element for each row of '{}', got {}", bias_name,
                     weight->shape[0], weight_name, shape_text(bias->shape)));
  }
  std::optional<double> parameter;
  if (layer.contains("parameter")) {
    if (!layer["parameter"].is_number()) fail(fmt::format("{}: 'parameter' must be a number", where));
    parameter = layer["parameter"].get<double>();
  }
  Layer result;
  try {
    result.activation = parse_activation(tensor_name(layer, "activation", where), parameter);
  } catch (const std::invalid_argument& error) {
    fail(fmt::format("{}: {}", where, error.what()));
  }
  // Row-major in the file: the transpose, read column-major.
  const Vector flat = elements(weight_name, *weight);
  result.weight = Eigen::Map<const Matrix>(flat.data(), weight->shape[1], weight->shape[0]).transpose();
  result.bias = elements(bias_name, *bias);
  return result;
}

std::shared_ptr<const Network> Reader::read_network(const std::string& part, const std::string& text) const {
  const Json list = Json::parse(text, nullptr, false);
  if (!list.is_array() || list.empty()) {
    fail(fmt::format("metadata '{}' must be a JSON list of layers {{\"weight\", \"bias\", \"activation\"}}", part));
  }
  std::vector<Layer> layers;
  for (const Json& layer : list) layers.push_back(read_layer(layer, fmt::format("{} layer {}", part, layers.size())));
  const std::string* name = metadata("name");
  const std::string base = name == nullptr ? path_.stem().string() : *name;
  try {
    return std::make_shared<const Network>(std::move(layers), part == "decoder" ? base : base + " " + part);
  } catch (const std::invalid_argument& error) {
    fail(error.what());
  }
}

Matrix Reader::read_codes(int latent_dimension) const {
  const Tensor* codes = find("codes");
  if (codes == nullptr) return Matrix(latent_dimension, 0);
  if (codes->shape.size() != 2 || codes->shape[1] != latent_dimension) {
    fail(fmt::format("tensor 'codes' must have the shape [points, {}], the latent dimension of the decoder, got {}",
                     latent_dimension, shape_text(codes->shape)));
  }
  const Vector flat = elements("codes", *codes);
  return Eigen::Map<const Matrix>(flat.data(), latent_dimension, codes->shape[0]);
}

std::vector<int> Reader::read_labels(Eigen::Index codes) const {
  const Tensor* labels = find("labels");
  if (labels == nullptr) return {};
  if (labels->shape != Shape{codes}) {
    fail(fmt::format("tensor 'labels' must have the shape [{}], one for each code, got {}", codes,
                     shape_text(labels->shape)));
  }
  std::vector<int> result;
  for (const double label : labels->to_double()) {
    if (!(label >= 0 && label <= 255 && label == std::floor(label))) {
      fail(fmt::format("tensor 'labels' must hold whole numbers from 0 to 255, found {}", label));
    }
    result.push_back(static_cast<int>(label));
  }
  return result;
}

ModelFile Reader::read() {
  const std::string* format = metadata("format");
  if (format == nullptr || *format != kFormat) {
    fail(fmt::format("metadata 'format' must be '{}', {}: not a model of this program", kFormat,
                     format == nullptr ? "is missing" : "got '" + *format + "'"));
  }
  const std::string* decoder = metadata("decoder");
  if (decoder == nullptr) fail("metadata 'decoder', the list of layers, is missing");
  ModelFile model;
  model.decoder = read_network("decoder", *decoder);
  if (const std::string* encoder = metadata("encoder")) {
    model.encoder = read_network("encoder", *encoder);
    if (model.encoder->latent_dimension() != model.decoder->ambient_dimension() ||
        model.encoder->ambient_dimension() != model.decoder->latent_dimension()) {
      fail(fmt::format("the encoder must map {} numbers to {}, the inverse of the decoder, but maps {} to {}",
                       model.decoder->ambient_dimension(), model.decoder->latent_dimension(),
                       model.encoder->latent_dimension(), model.encoder->ambient_dimension()));
    }
  }
  model.codes = read_codes(model.decoder->latent_dimension());
  model.labels = read_labels(model.codes.cols());
  model.metadata = std::move(file_.metadata);
  return model;
}

}  // namespace

ModelFile read_model(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace pullback
