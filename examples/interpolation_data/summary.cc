// What the seeds say together.
#include <fmt/format.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "study.h"

namespace interpolation_data {
namespace {

struct Measure {
  const char* key;
  const char* title;
  double Score::*field;
};
constexpr Measure kMeasures[] = {
    {"accuracy", "accuracy", &Score::accuracy},
    {"negative_log_likelihood", "negative log-likelihood", &Score::negative_log_likelihood},
    {"calibration_error", "calibration error", &Score::calibration_error}};

// What is compared with what.
constexpr std::pair<Mixing, Mixing> kComparisons[] = {
    {Mixing::kDecoded, Mixing::kNone},     {Mixing::kInputs, Mixing::kNone},    {Mixing::kCodes, Mixing::kNone},
    {Mixing::kGeodesics, Mixing::kNone},   {Mixing::kCodes, Mixing::kDecoded},  {Mixing::kCodes, Mixing::kInputs},
    {Mixing::kGeodesics, Mixing::kInputs}, {Mixing::kGeodesics, Mixing::kCodes}};

struct Moments {
  double mean = 0;
  double deviation = 0;  // of a sample; 0 of one value
};

Moments moments(const std::vector<double>& values) {
  Moments out;
  for (const double v : values) out.mean += v / static_cast<double>(values.size());
  for (const double v : values) out.deviation += (v - out.mean) * (v - out.mean);
  out.deviation = values.size() > 1 ? std::sqrt(out.deviation / static_cast<double>(values.size() - 1)) : 0;
  return out;
}

std::vector<double> column(const std::vector<std::vector<Score>>& scores, Mixing mixing, double Score::*field) {
  std::vector<double> out;
  for (const auto& seed : scores) out.push_back(seed[static_cast<std::size_t>(mixing)].*field);
  return out;
}

// A 95 % interval of the mean of paired differences; null without a second seed.
Json difference(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < ours.size(); ++i) differences.push_back(ours[i] - theirs[i]);
  const Moments m = moments(differences);
  Json out = {{"mean", m.mean}, {"low", nullptr}, {"high", nullptr}};
  if (ours.size() < 2) return out;
  const auto count = static_cast<double>(ours.size());
  const double t = boost::math::quantile(boost::math::students_t(count - 1), 0.975);
  out["low"] = m.mean - t * m.deviation / std::sqrt(count);
  out["high"] = m.mean + t * m.deviation / std::sqrt(count);
  return out;
}

}  // namespace

Json settings_json(const Settings& s) {
  return {{"model", s.model},   {"solver", s.solver},
          {"labels", s.labels}, {"pairs", s.pairs},
          {"seeds", s.seeds},   {"steps", s.steps},
          {"batch", s.batch},   {"hidden", s.hidden},
          {"alpha", s.alpha},   {"learning_rate", s.learning_rate}};
}

Json summarise(const std::vector<std::vector<Score>>& scores) {
  Json mixings = Json::array();
  for (const Mixing mixing : kMixings) {
    Json entry = {{"mixing", to_string(mixing)}};
    for (const Measure& measure : kMeasures) {
      const std::vector<double> values = column(scores, mixing, measure.field);
      const Moments m = moments(values);
      entry[measure.key] = {{"mean", m.mean}, {"deviation", m.deviation}, {"by_seed", values}};
    }
    mixings.push_back(std::move(entry));
  }
  Json differences = Json::array();
  for (const auto& [ours, theirs] : kComparisons) {
    Json entry = {{"mixing", to_string(ours)}, {"against", to_string(theirs)}};
    for (const Measure& measure : kMeasures) {
      entry[measure.key] = difference(column(scores, ours, measure.field), column(scores, theirs, measure.field));
    }
    differences.push_back(std::move(entry));
  }
  return {{"mixings", std::move(mixings)}, {"differences", std::move(differences)}};
}

std::string markdown(const Json& summary) {
  std::string head = "| mixed |";
  std::string rule = "|---|";
  for (const Measure& measure : kMeasures) {
    head += fmt::format(" {} |", measure.title);
    rule += "---|";
  }
  std::string text = head + "\n" + rule + "\n";
  for (const Json& entry : summary.at("mixings")) {
    text += fmt::format("| {} |", entry.at("mixing").get<std::string>());
    for (const Measure& measure : kMeasures) {
      text += fmt::format(" {:.4f} ± {:.4f} |", entry.at(measure.key).at("mean").get<double>(),
                          entry.at(measure.key).at("deviation").get<double>());
    }
    text += "\n";
  }
  text += "\n| difference |" + head.substr(head.find('|', 1) + 1) + "\n" + rule + "\n";
  for (const Json& entry : summary.at("differences")) {
    text += fmt::format("| {} − {} |", entry.at("mixing").get<std::string>(), entry.at("against").get<std::string>());
    for (const Measure& measure : kMeasures) {
      const Json& d = entry.at(measure.key);
      text += fmt::format(" {:+.4f}", d.at("mean").get<double>());
      if (d.at("low").is_number()) {
        text += fmt::format(" [{:+.4f}, {:+.4f}]", d.at("low").get<double>(), d.at("high").get<double>());
      }
      text += " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace interpolation_data
