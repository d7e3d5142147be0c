#include "pullback/spaces/named_transforms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <stdexcept>

#include "pullback/spaces/opener.h"
#include "tests/base/folder.h"

namespace pullback {
namespace {

using pullback::testing::Folder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kRounding = 1e-13;

TEST(SplitTransforms, ReadsThemFromLeftToRight) {
  const TransformedName name = split_transforms("torus:R=3,r=1@isometric@damp=1e-3@kappa=1e3,chart=sheared");
  EXPECT_EQ(name.base, "torus:R=3,r=1");
  EXPECT_THAT(name.transforms, ElementsAre("isometric", "damp=1e-3", "kappa=1e3,chart=sheared"));
  EXPECT_THAT(split_transforms("torus").transforms, IsEmpty());
}

TEST(SplitTransforms, LeavesPathsAlone) {
  const Folder folder;
  for (const char* path : {"some@where/model.safetensors", "me@home.safetensors", "me@home.pt"}) {
    EXPECT_EQ(split_transforms(path).base, path);
  }
  EXPECT_EQ(split_transforms("some@where/model.pt@damp=1").base, "some@where/model.pt");
  const std::string odd = folder.put("model@damp=1", "");
  EXPECT_EQ(split_transforms(odd).base, odd) << "a file is there";
  EXPECT_EQ(split_transforms(odd + "@floor=1").base, odd);
  const std::string plain = folder.put("model@2", "");
  EXPECT_EQ(split_transforms(plain + "@floor=1").base, plain);
}

TEST(ApplyTransforms, HasTheClosedFormsOfALinearMap) {
  Opener opener({});
  const Vector z = Vector::Zero(2);
  const Matrix plain = opener.open("linear:k=6").manifold->metric(z);
  const auto metric = [&](const std::string& transforms) {
    return opener.open("linear:k=6" + transforms).manifold->metric(z);
  };
  const Matrix I = Matrix::Identity(2, 2);
  EXPECT_LE((metric("@isometric") - I).norm(), 1e-9) << "κ = 10⁶ times rounding";
  EXPECT_LE((metric("@damp=0.25") - plain - 0.25 * I).norm(), kRounding);
  EXPECT_LE((metric("@smooth=3") - plain).norm(), kRounding);
  EXPECT_NEAR(metric("@floor=0.1").determinant(), 0.01, kRounding) << "1 and 0.1 for 1 and 10⁻⁶";
  EXPECT_LE((metric("@isometric@damp=0.5") - 1.5 * I).norm(), 1e-9);
  const Matrix other = metric("@damp=0.5@isometric");
  EXPECT_LE((other - I).norm(), 1e-9) << "in the order in which they stand";
}

TEST(ApplyTransforms, CarriesTheCodesAndTheWayBack) {
  Opener opener({});
  OpenedSpace base = opener.open("torus");
  base.codes = Matrix(2, 3);
  base.codes << 0.1, 0.7, -0.4, 0.3, -0.2, 0.9;
  base.metadata["code_deviation"] = "[1, 1]";
  const OpenedSpace space = apply_transforms(base, {"isometric", "kappa=10,chart=sheared", "damp=1e-2"});
  EXPECT_EQ(space.name, "torus@isometric@kappa=10,chart=sheared@damp=1e-2");
  EXPECT_LE((space.transformation.chart * space.codes - base.codes).norm(), kRounding * 10);
  EXPECT_EQ(space.transformation.plain, base.manifold);
  EXPECT_FALSE(space.metadata.contains("code_deviation")) << "was that of other coordinates";
  EXPECT_EQ(space.transformation.transforms[0].where, "the codes");
}

TEST(ApplyTransforms, SaysWhatChanged) {
  Opener opener({});
  const OpenedSpace space = opener.open("linear:k=3@floor=0.1@damp=0");
  const AppliedTransform& floor = space.transformation.transforms[0];
  EXPECT_EQ(floor.touched, 1);
  EXPECT_NEAR(floor.largest_factor, 100, 1e-6);
  EXPECT_NEAR(floor.least_factor, 1, kRounding * 10);
  EXPECT_NEAR(floor.kappa_before[1], 1000, 1e-6);
  EXPECT_NEAR(floor.kappa_after[1], 10, 1e-9);
  EXPECT_NEAR(floor.raised_to, 0.1, kRounding);
  EXPECT_EQ(space.transformation.transforms[1].touched, 0);
}

TEST(ApplyTransforms, RefusesWhatMeansNothing) {
  Opener opener({});
  for (const char* bad : {"torus@flor=0.1", "torus@", "torus@damp", "torus@damp=", "torus@damp=-1", "torus@floor=0",
                          "torus@floor=nan", "torus@smooth=0", "torus@isometric=1", "torus@damp=1@tanh"}) {
    EXPECT_THROW(opener.open(bad), std::invalid_argument) << bad;
  }
}

}  // namespace
}  // namespace pullback
