#include "pullback/generators/network/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pullback/base/error.h"
#include "pullback/base/safetensors.h"
#include "pullback/generators/combine/ensemble.h"
#include "pullback/generators/combine/stack.h"
#include "pullback/generators/uncertain/gaussian_process.h"
#include "pullback/generators/uncertain/radial_network.h"

namespace pullback {
namespace {

using Json = nlohmann::json;
using Shape = std::vector<std::int64_t>;

constexpr std::size_t kMostUses = 4;  // of all tensors, on average
constexpr std::size_t kSmallModel = std::size_t{1} << 20;
// A Gaussian process has a matrix with the square of this number of elements.
constexpr Eigen::Index kMostInputs = 10'000;

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  return text + "]";
}

// Reads the parts of one file; every error carries its path.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), file_(read_safetensors(path)) {
    for (const auto& [name, tensor] : file_.tensors) size_ += tensor.data.size();
  }

  ModelFile read();

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(fmt::format("{}: {}", path_.string(), what)); }

  const std::string* metadata(const std::string& key) const;
  const Tensor* find(const std::string& name) const;
  Vector elements(const std::string& name, const Tensor& tensor) const;
  std::string tensor_name(const Json& layer, const char* key, const std::string& where) const;
  Layer read_layer(const Json& layer, const std::string& where) const;
  std::shared_ptr<const Network> read_network(const std::string& part, const std::string& text) const;
  std::string name() const;
  std::vector<Layer> read_layers(const Json& list, const std::string& part) const;
  Matrix read_matrix(const std::string& tensor) const;
  Vector read_vector(const std::string& tensor, Eigen::Index size) const;
  std::shared_ptr<const Generator> read_deviations(const std::shared_ptr<const Network>& mean) const;
  std::shared_ptr<const Generator> read_members(const Network& decoder) const;
  std::shared_ptr<const Generator> read_process() const;
  void read_decoder(ModelFile& model) const;
  void read_uncertainty(ModelFile& model) const;
  Matrix read_codes(int latent_dimension) const;
  std::vector<int> read_labels(Eigen::Index codes) const;

  const std::filesystem::path& path_;
  Safetensors file_;
  std::size_t size_ = 0;           // bytes of all tensors
  mutable std::size_t taken_ = 0;  // bytes of all that were used so far
};

const std::string* Reader::metadata(const std::string& key) const {
  const auto found = file_.metadata.find(key);
  return found == file_.metadata.end() ? nullptr : &found->second;
}

const Tensor* Reader::find(const std::string& name) const {
  const auto found = file_.tensors.find(name);
  return found == file_.tensors.end() ? nullptr : &found->second;
}

// In file order, all finite. A tensor may be named more than once, but not so often that a small file fills the memory.
Vector Reader::elements(const std::string& name, const Tensor& tensor) const {
  taken_ += tensor.data.size();
  if (taken_ > kMostUses * size_ + kSmallModel) fail("its layers name the same tensors over and over");
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

std::string Reader::name() const {
  const std::string* name = metadata("name");
  return name == nullptr ? path_.stem().string() : *name;
}

std::vector<Layer> Reader::read_layers(const Json& list, const std::string& part) const {
  if (!list.is_array() || list.empty()) {
    fail(fmt::format("metadata '{}' must be a JSON list of layers {{\"weight\", \"bias\", \"activation\"}}", part));
  }
  std::vector<Layer> layers;
  for (const Json& layer : list) layers.push_back(read_layer(layer, fmt::format("{} layer {}", part, layers.size())));
  return layers;
}

std::shared_ptr<const Network> Reader::read_network(const std::string& part, const std::string& text) const {
  std::vector<Layer> layers = read_layers(Json::parse(text, nullptr, false), part);
  try {
    return std::make_shared<const Network>(std::move(layers), part == "decoder" ? name() : name() + " " + part);
  } catch (const std::invalid_argument& error) {
    fail(error.what());
  }
}

// A tensor [rows, cols] as the matrix whose columns are its rows.
Matrix Reader::read_matrix(const std::string& tensor) const {
  const Tensor* found = find(tensor);
  if (found == nullptr) fail(fmt::format("the tensor '{}' is missing", tensor));
  if (found->shape.size() != 2 || found->shape[0] == 0 || found->shape[1] == 0) {
    fail(fmt::format("tensor '{}' must have two dimensions, none of them 0, got the shape {}", tensor,
                     shape_text(found->shape)));
  }
  const Vector flat = elements(tensor, *found);
  return Eigen::Map<const Matrix>(flat.data(), found->shape[1], found->shape[0]);
}

Vector Reader::read_vector(const std::string& tensor, Eigen::Index size) const {
  const Tensor* found = find(tensor);
  if (found == nullptr) fail(fmt::format("the tensor '{}' is missing", tensor));
  if (found->shape != Shape{size}) {
    fail(fmt::format("tensor '{}' must have the shape [{}], got {}", tensor, size, shape_text(found->shape)));
  }
  return elements(tensor, *found);
}

std::shared_ptr<const Generator> Reader::read_deviations(const std::shared_ptr<const Network>& mean) const {
  RadialBasis basis{read_matrix("uncertainty.centres"), read_matrix("uncertainty.rates")};
  const Matrix weight = read_matrix("uncertainty.weight").transpose();
  if (weight.rows() != mean->ambient_dimension()) {
    fail(fmt::format("tensor 'uncertainty.weight' must have {} rows, as many as the decoder has outputs, got {}",
                     mean->ambient_dimension(), weight.rows()));
  }
  auto deviation =
      std::make_shared<RadialNetwork>(std::move(basis), weight, read_vector("uncertainty.floor", weight.rows()),
                                      RadialOutput::kInverseRoot, name() + " deviation");
  return std::make_shared<Stacked>(std::vector<std::shared_ptr<const Generator>>{mean, std::move(deviation)}, true,
                                   name());
}

std::shared_ptr<const Generator> Reader::read_members(const Network& decoder) const {
  const std::string* text = metadata("members");
  if (text == nullptr) fail("metadata 'members', the list of decoders, is missing");
  const Json list = Json::parse(*text, nullptr, false);
  if (!list.is_array()) fail("metadata 'members' must be a JSON list of decoders");
  std::vector<std::shared_ptr<const Generator>> members;
  for (const Json& layers : list) {
    const std::string part = fmt::format("member {}", members.size());
    members.push_back(std::make_shared<Network>(read_layers(layers, part), name() + " " + part));
    if (members.back()->latent_dimension() != decoder.latent_dimension() ||
        members.back()->ambient_dimension() != decoder.ambient_dimension()) {
      fail(fmt::format("{} must map {} numbers to {} as the decoder does, but maps {} to {}", part,
                       decoder.latent_dimension(), decoder.ambient_dimension(), members.back()->latent_dimension(),
                       members.back()->ambient_dimension()));
    }
  }
  return std::make_shared<Ensemble>(std::move(members), name());
}

std::shared_ptr<const Generator> Reader::read_process() const {
  GaussianProcessData data;
  data.inputs = read_matrix("process.inputs");
  if (data.inputs.cols() > kMostInputs) {
    fail(fmt::format("tensor 'process.inputs' has {} points, at most {} are read", data.inputs.cols(), kMostInputs));
  }
  data.outputs = read_matrix("process.outputs");
  data.offset = read_vector("process.offset", data.outputs.rows());
  data.lengths = read_vector("process.lengths", data.inputs.rows());
  const Vector variances = read_vector("process.variances", 2);
  data.signal_variance = variances(0);
  data.noise_variance = variances(1);
  return std::make_shared<GaussianProcess>(std::move(data), name());
}

void Reader::read_decoder(ModelFile& model) const {
  const std::string* decoder = metadata("decoder");
  if (decoder == nullptr) fail("metadata 'decoder', the list of layers, is missing");
  model.decoder = read_network("decoder", *decoder);
  model.generator = model.decoder;
  const std::string* encoder = metadata("encoder");
  if (encoder == nullptr) return;
  model.encoder = read_network("encoder", *encoder);
  if (model.encoder->latent_dimension() != model.decoder->ambient_dimension() ||
      model.encoder->ambient_dimension() != model.decoder->latent_dimension()) {
    fail(fmt::format("the encoder must map {} numbers to {}, the inverse of the decoder, but maps {} to {}",
                     model.decoder->ambient_dimension(), model.decoder->latent_dimension(),
                     model.encoder->latent_dimension(), model.encoder->ambient_dimension()));
  }
}

void Reader::read_uncertainty(ModelFile& model) const {
  const std::string* kind = metadata("uncertainty");
  const std::string known = kind == nullptr ? "" : *kind;
  try {
    if (known == "gp") {
      model.generator = read_process();
    } else if (known == "rbf") {
      read_decoder(model);
      model.generator = read_deviations(model.decoder);
    } else if (known == "ensemble") {
      read_decoder(model);
      model.generator = read_members(*model.decoder);
    } else {
      fail(fmt::format("metadata 'uncertainty' must be rbf, ensemble or gp, {}",
                       kind == nullptr ? "is missing" : "got '" + *kind + "'"));
    }
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
  ModelFile model;
  if (format != nullptr && *format == kModelFormat) {
    read_decoder(model);
  } else if (format != nullptr && *format == kUncertaintyFormat) {
    read_uncertainty(model);
  } else {
    fail(fmt::format("metadata 'format' must be '{}' or '{}', {}: not a model of this program", kModelFormat,
                     kUncertaintyFormat, format == nullptr ? "is missing" : "got '" + *format + "'"));
  }
  model.codes = read_codes(model.generator->latent_dimension());
  model.labels = read_labels(model.codes.cols());
  model.metadata = std::move(file_.metadata);
  return model;
}

}  // namespace

ModelFile read_model(const std::filesystem::path& path) { return Reader(path).read(); }

Tensor columns_tensor(const ConstMatrixRef& M) {
  std::vector<float> values(static_cast<std::size_t>(M.size()));
  Eigen::Map<Eigen::MatrixXf>(values.data(), M.rows(), M.cols()) = M.cast<float>();
  return Tensor::from_float({M.cols(), M.rows()}, values);
}

Tensor rows_tensor(const ConstMatrixRef& M) { return columns_tensor(Matrix(M.transpose())); }

Tensor vector_tensor(const ConstVectorRef& v) {
  return Tensor::from_float({v.size()}, std::vector<float>(v.begin(), v.end()));
}

}  // namespace pullback
