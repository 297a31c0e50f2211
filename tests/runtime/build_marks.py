"""A program whose flags do not fit the library's fails to link, and the error says which do not.

Arguments: the library, the include folder, the compiler and its arguments.
"""
import subprocess
import sys
import tempfile
from pathlib import Path


def link(compiler, library, include, flags):
    """The linker's exit status and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "main.cc"
        source.write_text("#include <weft/errors.h>\nint main() { return 0; }\n")
        done = subprocess.run([*compiler, "-std=c++20", *flags, "-I", include, str(source), library, "-pthread",
                               "-o", str(Path(folder) / "main")], capture_output=True, text=True)
        return done.returncode, done.stderr


def main():
    library, include, *compiler = sys.argv[1:]
    status, text = link(compiler, library, include, [])
    if status != 0:
        sys.exit("a program with the library's own flags does not link:\n" + text)
    for flag, name in (("-D_GLIBCXX_DEBUG", "weft_program_with_GLIBCXX_DEBUG_needs_libweft_with_GLIBCXX_DEBUG"),
                       ("-fsanitize=address", "weft_program_with_ASan_needs_libweft_with_ASan"),
                       ("-fsanitize=thread", "weft_program_with_TSan_needs_libweft_with_TSan")):
        status, text = link(compiler, library, include, [flag])
        if status == 0:
            sys.exit(f"a program with {flag} links against a library without it")
        if name not in text:
            sys.exit(f"the error of a program with {flag} does not name {name}:\n{text}")


main()
