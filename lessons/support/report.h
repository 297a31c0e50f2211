// Telling what happened: for people, and for programs.
#pragma once
#include <string>
#include <string_view>

#include "lessons/support/cast.h"
#include "lessons/support/figures.h"
#include "lessons/support/lesson.h"
#include "lessons/support/terminal.h"

namespace lesson {

// "2.66 ms", with three digits that count.
std::string shown_time(std::chrono::nanoseconds t);
// "One P", "Two Ps", "17 Ps".
std::string shown_ps(int n);

// The line over a part.
std::string heading(const program& what, const part& p, int maxprocs, const terminal& t);
// The output, as who printed how many lines in a row; the middle of many such turns is left out.
std::string condensed(const record& r, const terminal& t);
// Who ran where, the picture, the figures, and a sentence or two that say what to see in them.
std::string report(const record& r, const terminal& t, cast& who);
// One line for one more run of the same.
std::string short_report(int run, const figures& f);
// What to see in the figures.
std::string verdict(const figures& f);
// All of it in one line of JSON.
std::string as_json(const program& what, const part& p, const settings& s, const record& r);

}  // namespace lesson
