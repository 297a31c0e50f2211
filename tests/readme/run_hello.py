#!/usr/bin/env python3
"""Runs the README's program and compares what it prints with what the README says: run_hello.py PROGRAM README"""
import re
import subprocess
import sys

program, readme = sys.argv[1:]
promised = re.search(r"It prints `(\d+)`", open(readme, encoding="utf-8").read())[1]
done = subprocess.run([program], capture_output=True, text=True, timeout=120, check=True)
if done.stdout.strip() != promised:
    sys.exit(f"README.md promises {promised}, the program prints {done.stdout.strip()}")
