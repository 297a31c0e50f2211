"""A recipe of this checkout: conan create tools/packaging/conan --build=missing"""
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

ROOT = os.path.normpath(os.path.join(os.path.dirname(__file__), "../../.."))


class weft(ConanFile):
    name = "weft"
    license = "MIT"
    description = "Go's scheduler for C++20"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False]}
    default_options = {"shared": False, "fPIC": True}

    def set_version(self):
        text = load(self, os.path.join(ROOT, "meson.build"))
        self.version = re.search(r"^  version: '([0-9.]+)'", text, re.M)[1]

    def export_sources(self):
        for pattern in ["CMakeLists.txt", "meson.build", "LICENSE", "README.md", "tools/gdb/*", "tools/packaging/*",
                        "runtime/*", "sched/*", "chan/*", "net/*"]:
            copy(self, pattern, ROOT, self.export_sources_folder)

    def validate(self):
        if self.settings.os != "Linux" or self.settings.arch not in ("x86_64", "armv8"):
            raise ConanInvalidConfiguration("weft runs on Linux, on x86-64 and arm64")
        check_min_cppstd(self, 20)

    def requirements(self):
        self.requires("boost/[>=1.74]")
        self.requires("fmt/[>=9]")
        self.requires("liburing/[>=2.3]")
        self.requires("openssl/[>=3.0]")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        CMakeToolchain(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        self.cpp_info.libs = ["weft"]
        self.cpp_info.system_libs = ["pthread"]
        self.cpp_info.set_property("cmake_target_name", "weft::weft")
