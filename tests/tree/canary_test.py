#!/usr/bin/env python3
"""Canaries of the checks: each must find what it is there to find, and nothing in a tree that is right."""
import subprocess
import tempfile
import unittest
from pathlib import Path

import comments
import commits
import examples
import includes
import layout
import namesakes
import orderings
import readme
import reference
import rows
import thread_locals
import tree
import words


class in_a_small_tree(unittest.TestCase):
    """A tree of two rooms and a test that every check likes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("runtime/include/weft/clock.h", "#pragma once")
        self.write("runtime/futex.h", "#pragma once")
        self.write("sched/include/weft/go.h", "#include <weft/clock.h>\n#include <atomic>")
        self.write("sched/idle.cc", '#include <weft/go.h>\n#include "runtime/futex.h"\n'
                   "void sleep() { a.load(std::memory_order_acquire); }  // [note]\n"
                   "void wake() {\n  // [note] first\n  a.store(1, std::memory_order_release);\n}\n"
                   "// Note [note]: a pair.")
        self.write("tests/tree/seams.txt", "runtime/futex.h sched  # why")
        self.write("tests/tree/rows.txt", "GO-01 yields\nGO-02 yields")
        self.write("tests/sched/idle_test.cc", 'TEST_CASE("a fact", "[sched][GO-01]") {}')

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")

    def expect(self, module, *words):
        found = module.check(self.root)
        self.assertEqual(len(found), len(words), found)
        for line, word in zip(found, words):
            self.assertIn(word, line)


class arrows(in_a_small_tree):
    def test_the_small_tree_is_right(self):
        self.expect(includes)

    def test_a_public_header_of_a_room_above_is_found(self):
        self.write("runtime/clock.cc", "#include <weft/go.h>")
        self.expect(includes, "runtime/clock.cc:1: <weft/go.h> points up")

    def test_a_private_header_of_a_room_above_is_found(self):
        self.write("net/ring.h", "#pragma once")
        self.write("sched/poll.cc", "\n  #  include \"net/ring.h\"")
        self.expect(includes, 'sched/poll.cc:2: "net/ring.h" points up')

    def test_an_arrow_up_between_sub_rooms_is_found(self):
        self.write("sched/diagnosis/dump.h", "#pragma once")
        self.write("sched/run.cc", '#include "sched/diagnosis/dump.h"')
        self.write("sched/wake.cc", '#include "sched/diagnosis/dump.h"')
        self.expect(includes, 'sched/wake.cc:1: "sched/diagnosis/dump.h" points up')

    def test_a_private_header_without_a_seam_is_found(self):
        self.write("chan/mutex.cc", '#include "runtime/futex.h"')
        self.expect(includes, "is private to runtime/")

    def test_a_public_header_that_includes_a_private_one_is_found(self):
        self.write("sched/include/weft/time.h", '#include "runtime/futex.h"')
        self.expect(includes, "a public header includes the private")

    def test_a_public_header_included_by_its_path_is_found(self):
        self.write("sched/run.cc", '#include "sched/include/weft/go.h"')
        self.expect(includes, "is public: include it as <weft/go.h>")

    def test_a_seam_that_nobody_uses_is_found(self):
        self.write("tests/tree/seams.txt", "runtime/futex.h sched chan")
        self.expect(includes, "chan no longer includes runtime/futex.h")

    def test_a_header_that_does_not_exist_is_found(self):
        self.write("sched/run.cc", "#include <weft/gone.h>\n#include \"sched/gone.h\"")
        self.expect(includes, "<weft/gone.h> is no public header", '"sched/gone.h" is no path')

    def test_one_name_in_two_rooms_is_found(self):
        self.write("chan/include/weft/go.h", "#pragma once")
        self.expect(includes, "<weft/go.h> is in more than one room")

    def test_tests_and_tools_may_include_anything(self):
        self.write("tools/bench/main.cc", '#include "sched/world.h"\n#include <weft/go.h>')
        self.expect(includes)


class names_of_files(in_a_small_tree):
    def setUp(self):
        super().setUp()
        self.write("sched/wake.h", "#include <mutex>\nnamespace weft {\nstruct M { void run(); };\n// Wakes m.\n"
                   "[[nodiscard]] bool wake(M* m,\n          int n = f(1, 2)) noexcept;\ninline int twice(int i) { return 2 * i; }\n}")
        self.write("sched/wake.cc", '#include "sched/wake.h"\nnamespace weft {\nnamespace {\nvoid note(int i);\n}\n'
                   "bool wake(M* m, int) noexcept { return '{' == m->c || \"}\" == m->s; }\nstatic void note();\n}")
        self.write("sched/run.cc", "namespace weft {\nvoid M::run() { std::lock_guard hold(lock); }\nvoid wake(int) {}\n"
                   "namespace {\nbool wake(M* m, int n) { return true; }\n}\nconst auto f = [](int) { return 1; };\n}")

    def test_a_header_that_declares_what_its_file_defines_is_right(self):
        self.expect(namesakes)

    def test_a_function_of_another_file_is_found(self):
        self.write("sched/idle.h", "namespace weft::detail {\nstruct P;\nP* idle(M* m);\n}")
        self.write("sched/idle.cc", "namespace weft {\nnamespace detail {\nP* idle() { return nullptr; }\n}\n}")
        self.write("sched/park.cc", "namespace weft {\nP* detail::idle(M* m) {\n  if (m) return m->p;\n}\n}")
        self.expect(namesakes, "sched/idle.h:3: idle() is defined in sched/park.cc: declare it in sched/park.h")

    def test_a_namesake_in_another_folder_is_found(self):
        self.write("sched/diagnosis/wake.h", "namespace weft {\nbool wake(M* m, int n) noexcept;\n}")
        self.expect(namesakes, "sched/diagnosis/wake.h:2: wake() is defined in sched/wake.cc")

    def test_a_declaration_in_a_file_of_code_is_found(self):
        self.write("sched/exit.cc", "namespace weft {\nbool wake(M*, int) noexcept;\nvoid f() {\n  extern bool wake(M*, int);\n}\n}")
        self.expect(namesakes, "sched/exit.cc:2: wake() is declared in a .cc", "sched/exit.cc:4: wake() is declared in a .cc")

    def test_a_function_that_is_gone_is_found(self):
        self.write("sched/wake.cc", '#include "sched/wake.h"')
        self.expect(namesakes, "sched/wake.h:5: wake() is declared, and no file of the library defines it")

    def test_a_file_that_cannot_be_read_is_found(self):
        self.write("chan/odd.cc", "#if A\nvoid f() {\n#else\nvoid f(int) {\n#endif\n}")
        self.expect(namesakes, "chan/odd.cc:1: the brackets of this file do not match")


class pairs(in_a_small_tree):
    def test_the_small_tree_is_right(self):
        self.expect(orderings)

    def test_an_ordering_without_a_name_is_found(self):
        self.write("runtime/lock.cc", "a.exchange(1, std::memory_order::acq_rel);")
        self.expect(orderings, "runtime/lock.cc:1: an ordering without a [name]")

    def test_a_fence_without_a_name_is_found(self):
        self.write("chan/select.cc", "// says nothing\nstd::atomic_thread_fence(std::memory_order_seq_cst);")
        self.expect(orderings, "chan/select.cc:2: an ordering without a [name]")

    def test_a_name_without_a_note_is_found(self):
        self.write("sched/a.cc", "a.load(std::memory_order_acquire);  // [x]\na.store(1, std::memory_order_release);  // [x]")
        self.expect(orderings, "[x] has no Note [x]")

    def test_a_name_with_one_end_is_found(self):
        self.write("sched/a.cc", "// Note [x]: half.\nint f();\na.load(std::memory_order_acquire);  // [x]")
        self.expect(orderings, "[x] stands here only")

    def test_a_note_without_a_site_is_found(self):
        self.write("sched/a.cc", "// Note [x]: nothing is left of it.")
        self.expect(orderings, "Note [x] has no site")

    def test_an_operation_that_says_no_ordering_is_found(self):
        self.write("sched/a.cc", "if (a.load()) b->fetch_add(1);\na.store(f(1),\n        2);")
        self.expect(orderings, "a.cc:1", "a.cc:1", "a.cc:2")

    def test_a_name_above_a_statement_of_several_lines_is_seen(self):
        self.write("sched/a.cc", "// [note] as below\nif (a.compare_exchange_strong(x, y,\n"
                   "    std::memory_order_release, std::memory_order_relaxed))\n  return;")
        self.expect(orderings)


class places(in_a_small_tree):
    def test_the_small_tree_is_right(self):
        self.expect(layout)

    def test_a_long_file_is_found(self):
        self.write("sched/proc.cc", "\n".join(["x"] * 401))
        self.expect(layout, "sched/proc.cc:401: 401 lines")

    def test_a_file_out_of_place_is_found(self):
        self.write("sched/notes.txt", "later")
        self.expect(layout, "sched/notes.txt:1")


class comments_in_code(in_a_small_tree):
    def test_a_wide_comment_and_a_header_with_few_are_found(self):
        self.write("sched/include/weft/go.h", "// Fibers." + "\nint go();" * 3)
        self.write("sched/p.cc", "// " + "x" * 97 + "\nf();  // " + "x" * 97 + "\n  // " + "x" * 96)
        self.expect(comments, "sched/p.cc:3: a comment of 101 columns", "clock.h:1: 0 %", "go.h:1: 25 %")


class documents(in_a_small_tree):
    def setUp(self):
        super().setUp()
        self.write("tests/readme/hello.cc", "// A greeting.\nint main() {\n  // [short\n  f();\n  // short]\n}".replace("  // ", "// "))

    def block(self, source, *lines):
        self.write("README.md", "\n".join([f"<!-- from {source} -->", "```cpp", *lines, "```"]))

    def test_a_block_that_is_its_file_is_right(self):
        self.block("tests/readme/hello.cc", "int main() {", "// [short", "  f();", "// short]", "}")
        self.expect(readme)

    def test_a_block_that_is_its_part_is_right(self):
        self.block("tests/readme/hello.cc#short", "  f();")
        self.expect(readme)

    def test_a_block_that_differs_is_found(self):
        self.block("tests/readme/hello.cc#short", "  g();")
        self.expect(readme, "the block differs from tests/readme/hello.cc in its line 1")

    def test_a_block_that_stops_early_is_found(self):
        self.block("tests/readme/hello.cc", "int main() {")
        self.expect(readme, "in its line 2")

    def test_a_block_from_nowhere_is_found(self):
        self.write("chan/README.md", "Like this:\n```cpp\nint x;\n```")
        self.expect(readme, "chan/README.md:2: a cpp block that does not say")

    def test_links_and_places_that_are_gone_are_found(self):
        self.write("README.md", "[there](sched/idle.cc) [gone](sched/gone.cc) `sched/idle.cc: wake(), doze()` `sched/x.cc`")
        self.expect(readme, "the link to sched/gone.cc", "sched/idle.cc has no doze()", "sched/x.cc does not exist")


class conformance(in_a_small_tree):
    def test_the_small_tree_is_right(self):
        self.expect(rows)

    def test_a_tag_that_is_no_row_is_found(self):
        self.write("tests/sched/run_test.cc", 'TEST_CASE("a fact", "[sched][GO-99]") {}')
        self.expect(rows, "[GO-99] is no row")


class the_tree_itself(unittest.TestCase):
    def test_no_room_is_overlooked(self):
        for room in ("runtime", "sched", "chan"):
            self.assertTrue(tree.files(tree.ROOT, room, ends=(".cc",)), room)

    def test_its_orderings_are_seen(self):
        text = "".join(p.read_text(encoding="utf-8") for p in tree.files(tree.ROOT, "sched", ends=(".h", ".cc")))
        self.assertGreater(len(orderings.ORDERING.findall(text)), 40)

    def test_its_tags_are_seen(self):
        self.assertGreater(len(rows.tags(tree.ROOT)), 40)


class thread_locals_in_disassembly(unittest.TestCase):
    """Lines as objdump -dr writes them."""

    def listing(self, *body):
        seeds = [f"0000 <_ZN4weft{s}_{i}>:" for i, s in enumerate(thread_locals.SUSPENDS)]
        return [*seeds, "0000 <_ZN4weft6detail4parkEv>:", " 0:\tret", "0010 <caller>:", *body]

    park = [" 14:\tcall   19 <caller+0x9>", "\t\t15: R_X86_64_PLT32\t_ZN4weft6detail4parkEv-0x4"]

    def test_a_thread_local_beside_a_suspension_is_found(self):
        found = thread_locals.violations(self.listing(" 10:\tmov    %fs:(%rax),%rdx", *self.park))
        self.assertEqual(found, ["caller: touches a thread-local and may suspend"])

    def test_errno_beside_a_suspension_further_down_is_found(self):
        errno = [" 10:\tcall   15 <caller+0x5>", "\t\t11: R_X86_64_PLT32\t__errno_location-0x4"]
        via = [" 14:\tcall   19 <between>", "0030 <between>:", " 30:\tcall   0 <_ZN4weft6detail4parkEv>"]
        self.assertEqual(thread_locals.violations(self.listing(*errno, *via)),
                         ["caller: touches __errno_location and may suspend"])

    def test_each_alone_is_right_and_so_is_the_stack_guard(self):
        self.assertEqual(thread_locals.violations(self.listing(" 10:\tmov    %fs:(%rax),%rdx", " 14:\tret")), [])
        self.assertEqual(thread_locals.violations(self.listing(" 10:\tmov    %fs:0x28,%rax", *self.park)), [])

    def test_a_name_that_is_gone_from_the_library_is_found(self):
        self.assertIn("out of date", thread_locals.violations(["0010 <caller>:", " 10:\tret"])[0])


class the_words(in_a_small_tree):
    def test_more_hits_than_allowed_are_found(self):
        self.write("tests/tree/words.txt", "allow sched 2\nwhoever\nfor ever")
        self.write("sched/a.cc", "f(\"for ever\");  // Whoever waits\nint whoever;")
        self.expect(words)
        self.write("sched/b.h", "// waits for ever")
        self.expect(words, "sched has 3 hits, 2 are allowed")

    def test_a_list_without_words_is_found(self):
        self.write("tests/tree/words.txt", "allow sched 1")
        self.expect(words, "lists no expression")


class the_reference(in_a_small_tree):
    page = "## weft/go.h\n\n| Name | Does |\n|---|---|\n"

    def setUp(self):
        super().setUp()
        self.write("runtime/include/weft/clock.h", "// Only types of the standard library.")
        self.write("sched/include/weft/go.h", """namespace weft {
namespace detail { void hidden(); }
void go(int f);
struct use { int most = 1, size; };
class task {
 public:
  task();
  bool wait() const;
  template <class F>
  void get(F&& f) { f(); }
  // For weft itself.
  int raw() const;
 private:
  int kept() const;
};
}""")
        self.rows = ["`go` | starts", "`use` | `most`, `size`", "`task`, `task::wait`, `task::get` | waits"]

    def lists(self, *rows):
        self.write("REFERENCE.md", self.page + "\n".join(f"| {r} |" for r in rows))

    def test_a_page_with_all_names_is_right(self):
        self.lists(*self.rows)
        self.expect(reference)

    def test_a_missing_function_is_found(self):
        self.lists(*self.rows[1:])
        self.expect(reference, "`go` of <weft/go.h> is missing")

    def test_a_missing_member_is_found(self):
        self.lists(self.rows[0], "`use` | `most`", "`task`, `task::get` | `size`")
        self.expect(reference, "`use::size` of", "`task::wait` of")

    def test_a_missing_section_is_found(self):
        self.write("REFERENCE.md", "# Reference")
        self.expect(reference, "<weft/go.h> has no section")

    def test_a_name_too_much_is_found(self):
        self.lists(*self.rows, "`gone` | left", "`task::raw`, `task::kept` | private")
        self.expect(reference, "`gone` is declared by none", "`task::raw` is declared", "`task::kept` is declared")

    def test_a_section_without_a_header_is_found(self):
        self.lists(*self.rows, "|\n\n## weft/old.h\n\n| `old` | was")
        self.expect(reference, "there is no header <weft/old.h>", "`old` is declared by none")


class the_examples(in_a_small_tree):
    shown = ('#include <weft/go.h>\nvoid start() {\n  weft::go(1);\n}\n// Prints:\n// one\n\n'
             'const examples::group some({\n    {"start", start},\n});')

    def setUp(self):
        super().setUp()
        self.write("runtime/include/weft/clock.h", "namespace weft {\nint now();\n}")
        self.write("sched/include/weft/go.h", "#include <weft/clock.h>\nnamespace weft {\nvoid go(int f);\n}")
        self.write("tests/examples/fibers.cc", self.shown)
        self.write("tests/examples/time.cc", self.shown.replace("go", "clock", 1).replace("go(1)", "now()"))
        self.write("REFERENCE.md", "## weft/go.h, weft/clock.h\n\n[a](tests/examples/fibers.cc) [b](tests/examples/time.cc)")

    def test_a_header_with_an_example_is_right(self):
        self.expect(examples)

    def test_a_header_that_is_only_included_is_found(self):
        self.write("tests/examples/time.cc", "#include <weft/clock.h>\n// now() is not called")
        self.expect(examples, "no example shows <weft/clock.h>", "no example that shows <weft/clock.h>")

    def test_a_name_without_an_example_is_found(self):
        self.write("sched/include/weft/go.h", "namespace weft {\nvoid go(int f);\nstruct use { int most; };\nint spare;\n}")
        self.write("tests/examples/time.cc", self.shown.replace("go.h", "clock.h").replace(
            "weft::go(1)", 'weft::now(), f("spare"), use()  // spare'))
        self.expect(examples, "no example uses use of <weft/go.h>", "no example uses spare of <weft/go.h>")

    def test_a_section_without_a_link_is_found(self):
        self.write("REFERENCE.md", "## weft/go.h\n\n[b](tests/examples/time.cc)")
        self.expect(examples, "links no example that shows <weft/go.h>")

    def test_an_example_without_its_output_is_found(self):
        self.write("tests/examples/fibers.cc", self.shown.replace("// Prints:", "// It prints:"))
        self.expect(examples, "no `// Prints:` comment follows start()")

    def test_an_example_outside_the_table_is_found(self):
        self.write("tests/examples/fibers.cc", self.shown.replace('{"start", start}', '{"begin", start}'))
        self.expect(examples, '"begin" is not the name of start()', "start() is not in the table", "follows begin()")


class subjects_of_commits(in_a_small_tree):
    def git(self, *words):
        subprocess.run(["git", "-C", str(self.root), "-c", "user.name=a", "-c", "user.email=a", *words], check=True,
                       stdout=subprocess.DEVNULL)

    def subjects(self, *all_of_them):
        self.git("init", "-q")
        for subject in ("Before the rule there was none; all of them were like this one, which is long", *all_of_them):
            self.git("commit", "-q", "--allow-empty", "-m", subject)
        return commits.check(self.root, f"HEAD~{len(all_of_them)}")

    def test_what_follows_the_rule_is_right(self):
        self.assertEqual(self.subjects("idle: read every queue again", "tests/tree: check subjects", "sched: `go` of null ends"), [])

    def test_what_breaks_it_is_found(self):
        found = self.subjects("Idle: read", "idle: Read", "idle reads", "idle: read; write", "idle: read.", "idle: " + "r" * 70)
        self.assertEqual(len(found), 6, found)
        self.assertIn("76 columns, at most 72", found[0])

    def test_without_a_history_nothing_is_checked(self):
        self.assertEqual(commits.check(self.root), [])


if __name__ == "__main__":
    unittest.main()
