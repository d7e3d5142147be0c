// The models that ship, held to what they claim.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>

#include "pullback/base/idx.h"
#include "pullback/generators/network/model_file.h"

namespace pullback::training {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uintmax_t kLargestFile = 1'000'000;  // bytes
constexpr int kCodes = 2000;
constexpr int kHeldoutFrom = 8000;         // the models were trained on the digits before this one
constexpr double kPrinted = 1e-5;          // heldout_loss is recorded with 6 digits
constexpr double kSinglePrecision = 1e-5;  // relative, of sums of 784 terms that were computed in float

struct Shipped {
  const char* name;
  const char* kind;
  int latent;
};

std::ostream& operator<<(std::ostream& out, const Shipped& shipped) { return out << shipped.name; }

class ShippedModel : public ::testing::TestWithParam<Shipped> {
 protected:
  static fs::path path() {
    return fs::path(PULLBACK_SOURCE_DIR) / "models" / (std::string(GetParam().name) + ".safetensors");
  }
  ModelFile model_ = read_model(path());
};
INSTANTIATE_TEST_SUITE_P(Models, ShippedModel,
                         ::testing::Values(Shipped{"mnist-vae", "vae", 2}, Shipped{"mnist-dae", "dae", 2},
                                           Shipped{"mnist-gan", "gan", 2}, Shipped{"mnist-vae-8d", "vae", 8}),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// The held-out digits, or nothing where the data set is absent.
std::optional<ImageSet> heldout_digits() {
  const char* given = std::getenv("PULLBACK_MNIST");
  const fs::path folder = given ? fs::path(given) : fs::path(PULLBACK_SOURCE_DIR) / ".." / "shared" / "data" / "mnist";
  if (!fs::is_directory(folder)) return std::nullopt;
  const ImageSet all = read_image_set(folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz");
  return all.slice(kHeldoutFrom, all.count - kHeldoutFrom);
}

Matrix columns_of(const ImageSet& images) {
  using Bytes = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic>;
  return Eigen::Map<const Bytes>(images.pixels.data(), images.pixels_per_image(), images.count).cast<double>() / 255;
}

// Nats per image, from pixels in (0, 1): a sigmoid gives no others.
double cross_entropy(const Matrix& images, const Matrix& decoded) {
  const auto x = images.array();
  const auto p = decoded.array();
  return -(x * p.log() + (1 - x) * (1 - p).log()).sum() / static_cast<double>(images.cols());
}

TEST_P(ShippedModel, IsOfTheSizeAndShapePromised) {
  EXPECT_LE(fs::file_size(path()), kLargestFile);
  EXPECT_EQ(model_.metadata.at("name"), GetParam().name);
  EXPECT_EQ(model_.metadata.at("kind"), GetParam().kind);
  EXPECT_EQ(model_.decoder->latent_dimension(), GetParam().latent);
  EXPECT_EQ(model_.decoder->ambient_dimension(), 28 * 28);
  EXPECT_EQ(model_.codes.cols(), kCodes);
  EXPECT_EQ(model_.labels.size(), static_cast<std::size_t>(kCodes));
  EXPECT_EQ(model_.encoder == nullptr, std::string(GetParam().kind) == "gan");
}

TEST_P(ShippedModel, RecordsHowItWasMade) {
  EXPECT_THAT(model_.metadata.at("command"),
              AllOf(StartsWith("pullback train " + std::string(GetParam().kind) + " --data ../shared/data/mnist"),
                    HasSubstr(std::string("--out ") + GetParam().name + ".safetensors")));
  EXPECT_EQ(model_.metadata.at("seed"), "1");
  EXPECT_THAT(model_.metadata.at("dataset"), StartsWith("mnist: first 8000 images"));
}

TEST_P(ShippedModel, DecodesItsCodesToPixels) {
  const Matrix images = model_.decoder->value(model_.codes);
  EXPECT_GE(images.minCoeff(), 0);
  EXPECT_LE(images.maxCoeff(), 1);
}

TEST_P(ShippedModel, CodesCoverEveryClass) {
  std::map<int, int> count;
  for (const int label : model_.labels) ++count[label];
  EXPECT_EQ(count.size(), 10U);
  EXPECT_EQ(count.begin()->first, 0);
  EXPECT_EQ(count.rbegin()->first, 9);
}

// No latent coordinate may be switched off: the smallest singular value of J is far from 0 against the largest.
TEST_P(ShippedModel, UsesEveryLatentCoordinate) {
  constexpr int kPoints = 50;
  constexpr double kWorstMedian = 100;
  std::vector<double> condition;
  for (int i = 0; i < kPoints; ++i) {
    const Eigen::JacobiSVD<Matrix> svd(model_.decoder->jacobian(model_.codes.col(i)));
    condition.push_back(svd.singularValues()(0) / svd.singularValues().tail(1)(0));
  }
  std::nth_element(condition.begin(), condition.begin() + kPoints / 2, condition.end());
  EXPECT_LT(condition[kPoints / 2], kWorstMedian);
}

TEST_P(ShippedModel, CodesAreThoseOfHeldoutDigits) {
  const auto digits = heldout_digits();
  if (!digits) GTEST_SKIP() << "no MNIST in PULLBACK_MNIST or ../shared/data/mnist";
  if (!model_.encoder) GTEST_SKIP() << "a GAN has no encoder";
  const Matrix codes = model_.encoder->value(columns_of(*digits));
  // Codes were computed and stored in single precision.
  EXPECT_LT((codes - model_.codes).cwiseAbs().maxCoeff(), kSinglePrecision * model_.codes.cwiseAbs().maxCoeff());
  EXPECT_TRUE(std::equal(digits->labels.begin(), digits->labels.end(), model_.labels.begin()));
}

TEST_P(ShippedModel, ReconstructsHeldoutDigitsAsWellAsItClaims) {
  const auto digits = heldout_digits();
  if (!digits) GTEST_SKIP() << "no MNIST in PULLBACK_MNIST or ../shared/data/mnist";
  const Matrix images = columns_of(*digits);
  const double claimed = std::stod(model_.metadata.at("heldout_loss"));
  const Matrix decoded = model_.decoder->value(model_.codes);
  if (model_.encoder) {
    EXPECT_NEAR(cross_entropy(images, decoded), claimed, (kPrinted + kSinglePrecision) * claimed);
    const Vector mean = images.rowwise().mean();
    const double mean_image = (images.colwise() - mean).colwise().squaredNorm().mean();
    // Two numbers for each digit explain at least a third of what the mean digit leaves.
    EXPECT_LT((images - decoded).colwise().squaredNorm().mean(), 2.0 / 3 * mean_image);
  } else {
    Matrix squares = -2 * images.transpose() * decoded;  // of the distances, less those of the digits from 0
    squares.rowwise() += decoded.colwise().squaredNorm();
    const double mean = (squares.rowwise().minCoeff() + images.colwise().squaredNorm().transpose()).mean();
    // cdist in single precision goes through squared norms of up to 200, which leaves about 1e-4 of the distances here.
    constexpr double kDistances = 1e-4;
    EXPECT_NEAR(mean, claimed, kDistances * claimed);
  }
}

}  // namespace
}  // namespace pullback::training
