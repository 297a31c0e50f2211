// Reports of a run, for people and for programs.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "lessons/support/cast.h"
#include "lessons/support/figures.h"
#include "lessons/support/terminal.h"
#include "lessons/support/verdict.h"

namespace lesson {

// A run of one program.
struct titled_run {
  std::string name, title;
  record what;
  bool on_parallelism = false;  // its conclusion is the verdict, else a summary

  std::string conclusion() const { return on_parallelism ? verdict(count(what)) : summary(count(what)); }
};

// The line above a program's output.
std::string heading(std::string_view name, std::string_view title, int maxprocs, const terminal& t);
// The output as the number of lines that each fiber printed in a row, without the middle of many
// such turns.
std::string condensed(const record& r, const terminal& t);
// The fibers and where they ran, the picture, the figures and the conclusion.
std::string report(const titled_run& run, const terminal& t, cast& who);
// One line for one more run of the same program.
std::string short_report(int run, const figures& f);
// "=> " and the sentences, in lines of the terminal's width.
std::string conclusion(std::string_view sentences, const terminal& t);

// The runs beside each other on one time axis: output, lanes, figures; below them the conclusions.
std::string columns(std::span<const titled_run> runs, const terminal& t);
// A run in one line of JSON.
std::string as_json(std::string_view lesson, const titled_run& r);

}  // namespace lesson
