// The main() of every section.
#include "lessons/support/page.h"

int main(int argc, char** argv) { return lesson::section_main(argc, argv); }
