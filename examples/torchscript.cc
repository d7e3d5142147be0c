// A TorchScript decoder as a generator: example_torchscript [FILE.pt]
#include <cstdio>

#include "pullback/base/error.h"
#include "pullback/generators/torch/torch_generator.h"

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "decoder.pt";
  try {
    const auto f = pullback::read_torchscript(path);  // torch.jit.script(decoder).save("decoder.pt")
    const pullback::Matrix J = f->jacobian(pullback::Matrix::Zero(f->latent_dimension(), 1));
    std::printf("%s: %d -> %d, |J(0)| = %g\n", path, f->latent_dimension(), f->ambient_dimension(), J.norm());
  } catch (const pullback::Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  return 0;
}
