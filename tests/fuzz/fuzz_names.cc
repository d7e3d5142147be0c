// Generators by name with the steps that act on them: NAME:key=value@isometric@damp=1e-3.
#include "pullback/cli/step_text.h"
#include "pullback/spaces/metric_steps.h"
#include "pullback/spaces/opener.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

namespace {

// Beyond these a step is asked to do much rather than to do it wrongly: its cost grows with the dimension, and that of
// smoothing what was smoothed with each step.
constexpr int kMostDimensions = 4;
constexpr std::size_t kMostSteps = 3;

}  // namespace

void read_input(std::string_view input) {
  scratch_folder();  // so that no name is that of a file
  static Opener opener({});
  const std::string text(input);
  expect_read_or_refused([&] {
    const SteppedName name = split_steps(text);
    const OpenedSpace space = opener.open(name.base);
    if (space.dimension() > kMostDimensions || name.steps.size() > kMostSteps) return;
    cli::describe(apply_steps(space, name.steps).decoration.steps);
  });
}

}  // namespace pullback::fuzz
