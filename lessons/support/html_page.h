// The pictures of runs as a page for a browser.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "lessons/support/report.h"

namespace lesson {

// One HTML file that needs no other file: a lane per P or per fiber, a colour per fiber name,
// details at the mouse, the printed lines at their times, the figures and the verdict. Several runs
// stand in columns on one time axis.
std::string html_page(std::string_view title, std::span<const titled_run> runs);

}  // namespace lesson
