// Finding a generator by what a person types: a file, the name of a shipped model, or a named surface with parameters.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"

namespace pullback {

// A generator with what came along with it. `codes` is n×K, the latent points of known data, with `labels` of the same
// length; both are empty where there are none.
struct PULLBACK_EXPORT OpenedGenerator {
  std::shared_ptr<const Generator> generator;
  Matrix codes;
  std::vector<int> labels;
  std::map<std::string, std::string> metadata;
};

// A parameter of a named generator.
struct PULLBACK_EXPORT Parameter {
  std::string name;
  double default_value = 0;
  std::string description;
};

// The value of every parameter of a named generator, by name: the default where nothing else was asked for.
using ParameterValues = std::map<std::string, double, std::less<>>;

enum class GeneratorSource {
  kNamed,  // a name, perhaps with parameters
  kModel,  // a name that stands for a file in the model directory
  kFile    // a file ending, such as ".safetensors"
};

// What is known of a generator before it is opened.
struct PULLBACK_EXPORT OpenOptions {
  // Latent dimension for files that take points of any number of coordinates; 0: not known. A file that states its
  // dimension is opened with that.
  int dimension = 0;
  // Names that the caller opens itself, to be listed among the choices in errors: "metrics: half-plane, …; ".
  std::string choices_besides = {};
};

// When the derivatives of what a reader or a factory makes are compared with differences (with_checked_derivatives in
// check_derivatives.h): at opening, or before, by tests or by the reader itself.
enum class DerivativeCheckAt { kOpening, kBefore };

// One line of a listing.
struct PULLBACK_EXPORT GeneratorEntry {
  GeneratorSource source;
  std::string name;  // for kFile the ending, with its dot
  std::string description;
  std::vector<Parameter> parameters;  // kNamed only
};

// The generators that can be opened by a specification
//
//   FILE | NAME | NAME:key=value,key=value
//
// A specification that contains '/' or ends like a known file is a file; a NAME is looked up first among the named
// generators, then as NAME.safetensors (or any other known ending) in the model directory. A registry starts with the
// reader of ".safetensors" and nothing else.
//
// Thread safety: the const methods are safe from several threads while no other method runs.
class PULLBACK_EXPORT GeneratorRegistry {
 public:
  // Opens the file. Throws pullback::Error, with the path, where the file is not what it should be.
  using Reader = std::function<OpenedGenerator(const std::filesystem::path&)>;
  // The same for files that may leave the latent dimension open.
  using SizedReader = std::function<OpenedGenerator(const std::filesystem::path&, const OpenOptions&)>;
  // Makes the generator. May throw std::invalid_argument for values without meaning, such as a negative radius.
  using Factory = std::function<std::shared_ptr<const Generator>(const ParameterValues&)>;

  GeneratorRegistry();

  // Adds a reader of files that end in `ending` (".pt"; compared without regard to case).
  // Errors: std::invalid_argument if the ending does not start with a dot or is taken, or the reader is empty.
  void add_reader(std::string ending, std::string description, Reader reader,
                  DerivativeCheckAt check = DerivativeCheckAt::kOpening);
  void add_sized_reader(std::string ending, std::string description, SizedReader reader,
                        DerivativeCheckAt check = DerivativeCheckAt::kOpening);

  // Adds a generator that is opened by name. Letters, digits, '-' and '_' make a name.
  // Errors: std::invalid_argument if the name is malformed or taken, a parameter comes twice, or the factory is empty.
  void add_named(std::string name, std::string description, std::vector<Parameter> parameters, Factory factory,
                 DerivativeCheckAt check = DerivativeCheckAt::kOpening);

  // Where the shipped models lie. A folder that does not exist is the same as an empty one.
  void set_model_directory(std::filesystem::path directory) { model_directory_ = std::move(directory); }
  const std::filesystem::path& model_directory() const { return model_directory_; }

  // Errors: std::invalid_argument, with the valid choices, for an unknown name or parameter, a value that is not a
  // finite number, or a parameter given twice or to a model; pullback::Error, with the path, for a file that is
  // missing, has no reader or is not what it should be.
  // A derivative that is found wrong at opening is replaced by differences, and the traits say so.
  OpenedGenerator open(std::string_view specification, const OpenOptions& options = {}) const;

  // Everything that can be opened: named generators, models found in the model directory, file endings; each sorted.
  std::vector<GeneratorEntry> list() const;

 private:
  struct Named {
    std::string description;
    std::vector<Parameter> parameters;
    Factory factory;
    DerivativeCheckAt check = DerivativeCheckAt::kOpening;
  };
  struct FileKind {
    std::string description;
    SizedReader reader;
    DerivativeCheckAt check = DerivativeCheckAt::kOpening;
  };

  const FileKind* find_reader(const std::filesystem::path& path) const;
  OpenedGenerator open_file(const std::filesystem::path& path, const OpenOptions& options) const;
  OpenedGenerator open_name(std::string_view name, std::string_view arguments, const OpenOptions& options) const;
  std::map<std::string, std::filesystem::path> models() const;  // by name

  std::map<std::string, Named, std::less<>> named_;
  std::map<std::string, FileKind, std::less<>> readers_;
  std::filesystem::path model_directory_;
};

}  // namespace pullback
