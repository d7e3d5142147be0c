// Safetensors, and the models that are written in it.
#include "pullback/base/safetensors.h"
#include "pullback/generators/network/model_file.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

void read_input(std::string_view input) {
  const auto path = put("input.safetensors", input);
  expect_read_or_refused([&] {
    for (const auto& [name, tensor] : read_safetensors(path).tensors) tensor.to_double();
  });
  expect_read_or_refused([&] {
    const ModelFile model = read_model(path);
    // One evaluation: shapes that were let pass must fit one another.
    Workspace workspace;
    Matrix values(model.generator->ambient_dimension(), 1);
    model.generator->value(Matrix::Zero(model.generator->latent_dimension(), 1), values, workspace);
  });
}

}  // namespace pullback::fuzz
