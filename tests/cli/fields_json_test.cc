// Results in JSON by their lists of fields, and back.
#include "pullback/cli/fields_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "pullback/base/error.h"
#include "pullback/solvers/result_fields.h"
#include "pullback/spaces/transform_fields.h"

namespace pullback::cli {
namespace {

using ::testing::HasSubstr;

Certificate sample() {
  Certificate certificate;
  certificate.length = 1.25;
  certificate.residual = std::nan("");
  certificate.conjugate_point = 0.5;
  certificate.second_derivative = Derivative::kFiniteDifference;
  certificate.condition.kappa_max = INFINITY;
  certificate.condition.degenerate = true;
  certificate.complete = true;
  return certificate;
}

TEST(FieldsJson, WritesWhatIsNotKnownAsNull) {
  const Json json = fields_json(sample());
  EXPECT_EQ(json["length"], 1.25);
  EXPECT_TRUE(json["residual"].is_null());
  EXPECT_TRUE(json["shorter_known"].is_null());
  EXPECT_EQ(json["derivatives"]["second"], "finite differences");
  EXPECT_TRUE(json["condition"]["kappa_max"].is_null());
  EXPECT_EQ(json["condition"]["kappa_infinite"], true);
}

TEST(FieldsJson, ComesBackAsItWas) {
  const Json json = fields_json(sample());
  const auto read = read_fields<Certificate>(JsonView(json, "file"));
  EXPECT_EQ(fields_json(read), json);
  EXPECT_TRUE(std::isinf(read.condition.kappa_max));
  EXPECT_EQ(read.conjugate_point, 0.5);
  EXPECT_EQ(read.shorter_known, std::nullopt);
}

TEST(FieldsJson, ReadsWholeNumbersHoweverTheyAreWritten) {
  Json json = fields_json(Effort());
  json["iterations"] = 12.0;
  EXPECT_EQ(read_fields<Effort>(JsonView(json, "file")).iterations, 12);
  for (const Json& wrong : {Json(1.5), Json(-1), Json(1e300), Json(nullptr), Json("12")}) {
    json["iterations"] = wrong;
    EXPECT_THROW(read_fields<Effort>(JsonView(json, "file")), Error) << wrong;
  }
}

TEST(FieldsJson, SaysWhereAFieldIsMissing) {
  Json json = fields_json(sample());
  json["condition"].erase("sigma_min");
  try {
    read_fields<Certificate>(JsonView(json, "file"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("file: condition: expected an object with the key \"sigma_min\""));
  }
}

TEST(FieldsJson, KeepsWhatIsStoredBesideWhatItMeans) {
  Json json = fields_json(sample());
  json["length"] = "long";
  json.erase("energy");
  const auto stored = read_stored<Certificate>(JsonView(json, "file"));
  EXPECT_EQ(stored.value.length, Certificate().length) << "passed over";
  EXPECT_EQ(stored.fields.at("length"), FieldValue(std::string("long")));
  EXPECT_FALSE(stored.fields.contains("energy"));
  EXPECT_EQ(stored.fields.at("condition.degenerate"), FieldValue(true));
}

TEST(FieldsJson, ListsFieldsAsTheReaderOfADocumentDoes) {
  AppliedTransform floor;
  floor.text = "floor=0.1";
  floor.kappa_before = {1, 2, 3};
  floor.kappa_after = {1, 1, 2};
  floor.chart = Matrix::Identity(2, 2);
  FieldLister listed;
  listed("transforms", std::vector{floor});
  FieldMap read;
  add_fields(list_json(std::vector{floor}), "transforms", read);
  for (const auto& [name, value] : listed.fields) {
    ASSERT_TRUE(read.contains(name)) << name;
    EXPECT_EQ(shown(read.at(name)), shown(value)) << name;
  }
  EXPECT_TRUE(read.contains("transforms[0].matrix[1][0]"));
}

}  // namespace
}  // namespace pullback::cli
