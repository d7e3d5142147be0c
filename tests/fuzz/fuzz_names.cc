// Generators by name with the transforms that act on them: NAME:key=value@isometric@damp=1e-3.
#include "pullback/cli/transform_text.h"
#include "pullback/spaces/named_transforms.h"
#include "pullback/spaces/opener.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

namespace {

// Beyond these a transform is asked to do much rather than to do it wrongly: its cost grows with the dimension, and
// that of smoothing what was smoothed with each transform.
constexpr int kMostDimensions = 4;
constexpr std::size_t kMostTransforms = 3;

}  // namespace

void read_input(std::string_view input) {
  scratch_folder();  // so that no name is that of a file
  static Opener opener({});
  const std::string text(input);
  expect_read_or_refused([&] {
    const TransformedName name = split_transforms(text);
    const OpenedSpace space = opener.open(name.base);
    if (space.dimension() > kMostDimensions || name.transforms.size() > kMostTransforms) return;
    cli::describe(apply_transforms(space, name.transforms).transformation.transforms);
  });
}

}  // namespace pullback::fuzz
