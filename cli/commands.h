// The commands of the tool: what each is given, and a function that runs it and returns the exit status.
//
// Errors: std::invalid_argument for a wrong command line, pullback::Error for files and plugins; thrown before anything
// is written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pullback::cli {

// What all commands that solve have in common.
struct SolveArguments {
  std::string generator;
  std::string solver = "auto";
  std::vector<std::string> plugins;
  std::string points;      // CSV file of latent points for solvers that use them; empty: the model's codes
  int threads = 0;         // 0: one for each processor
  double time_limit = 0;   // seconds for each solve; 0: none
  double accuracy = 1e-6;  // relative, of the length
  int dimension = 0;       // of the latent space, where the file does not say; 0: not given
};

struct ListArguments {
  bool json = false;
  std::vector<std::string> plugins;
};

struct GeodesicArguments {
  SolveArguments solve;
  std::string from;
  std::string to;
  std::string pairs;  // CSV file
  int samples = 101;
  std::string json;  // file or "-"
};

struct DistancesArguments {
  SolveArguments solve;
  std::string table;  // CSV file of points
  std::string out;    // CSV file or "-"
  std::string json;
};

struct ExpArguments {
  std::string generator;
  std::vector<std::string> plugins;
  int dimension = 0;  // as for SolveArguments
  std::string from;
  std::string velocity;
  int samples = 101;
  std::string json;
};

struct LogArguments {
  SolveArguments solve;
  std::string from;
  std::string to;
  std::string json;
};

struct TransportArguments {
  SolveArguments solve;
  std::string from;
  std::string to;
  std::string vector;  // at `from`
  std::string json;
};

struct CurvatureArguments {
  std::string generator;
  std::vector<std::string> plugins;
  int dimension = 0;
  std::string at;
  std::string u;  // with v: the plane; empty in two dimensions
  std::string v;
  std::string json;
};

struct InspectArguments {
  std::string generator;
  std::vector<std::string> plugins;
  std::string box;
  int grid = 96;
  std::string points;
  int pairs = 0;  // of codes, between which geodesics are solved and placed
  std::string solver = "auto";
  double time_limit = 0;
  double accuracy = 1e-6;  // as for SolveArguments
  int dimension = 0;       // as for SolveArguments
  std::string out;         // folder
  std::string json;
};

struct CompareArguments {
  std::vector<std::string> generators;  // empty: the shipped models
  std::vector<std::string> solvers;     // empty: the default chains
  std::vector<std::string> plugins;
  int pairs = 40;
  std::uint64_t seed = 1;
  double outside = 0;  // share of the pairs with ends outside of the data
  std::string out = "pullback-compare";
  std::string box;
  int threads = 0;
  double time_limit = 0;
  double accuracy = 1e-6;  // as for SolveArguments
  int dimension = 0;       // as for SolveArguments
};

struct VerifyArguments {
  std::string results;                  // file that `geodesic`, `compare` or `study` wrote
  std::vector<std::string> generators;  // what to open instead: SPEC, or NAME=SPEC
  std::vector<std::string> plugins;
  double tolerance = 1e-6;  // relative difference allowed between a number written and the same measured again
  int threads = 0;
  std::string json;
};

struct ConditioningArguments {
  std::vector<std::string> solvers;  // chains besides those that are registered
  bool only = false;                 // no others
  std::vector<std::string> families;
  std::string dimensions;  // "2,8"; empty: the default, as for what follows
  std::string kappas;
  int pairs = 0;
  std::uint64_t seed = 1;
  std::string out = "pullback-conditioning";
  int threads = 0;
  double time_limit = 0;
  bool quick = false;
  std::vector<std::string> plugins;
};

struct JacobianArguments {
  std::vector<std::string> models;  // SPEC or label=SPEC
  std::string from;                 // results.json to draw again instead
  std::vector<std::string> solvers;
  std::vector<std::string> plugins;
  int points = 1000;
  int grid = 40;
  int pairs = 0;
  std::uint64_t seed = 1;
  std::string out = "pullback-jacobian";
  int threads = 0;
  double time_limit = 0;
  double accuracy = 1e-6;  // as for SolveArguments
};

struct FitUncertaintyArguments {
  std::string model;   // a file, or the name of a shipped model
  std::string method;  // "rbf", "ensemble", "gp"
  std::string data;    // folder of IDX files; empty: fit to what the decoder says of itself
  std::string out;
  std::vector<std::string> files;  // members of an ensemble besides the model
  int centres = 100;
  double width = 1;
  double far = 10;
  int members = 5;
  int inputs = 200;
  double length = 0;
  std::uint64_t seed = 1;
};

struct UncertaintyStudyArguments {
  std::vector<std::string> models;   // "ring", shipped models or files; empty: the default
  std::vector<std::string> methods;  // empty: all
  std::string solver = "auto";
  std::string data;  // as for fit-uncertainty
  int pairs = 8;
  std::uint64_t seed = 1;
  std::string out = "pullback-uncertainty";
  int threads = 0;
  double time_limit = 20;
};

int run_solvers(const ListArguments& arguments);
int run_generators(const ListArguments& arguments);
int run_geodesic(const GeodesicArguments& arguments);
int run_distances(const DistancesArguments& arguments);
int run_exp(const ExpArguments& arguments);
int run_log(const LogArguments& arguments);
int run_transport(const TransportArguments& arguments);
int run_curvature(const CurvatureArguments& arguments);
int run_inspect(const InspectArguments& arguments);
// `command`: how the program was called, for the record.
int run_compare(const CompareArguments& arguments, const std::string& command);
int run_study_conditioning(const ConditioningArguments& arguments, const std::string& command);
int run_study_jacobian(const JacobianArguments& arguments, const std::string& command);
int run_study_uncertainty(const UncertaintyStudyArguments& arguments, const std::string& command);
int run_fit_uncertainty(const FitUncertaintyArguments& arguments, const std::string& command);
int run_verify(const VerifyArguments& arguments);
// Becomes `pullback-train` with the given arguments; returns only where there is none.
int run_train(const std::vector<std::string>& arguments);

}  // namespace pullback::cli
