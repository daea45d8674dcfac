"""What a broker does with a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ANSWERS = """
import os, resource
from broker.own_process import keep_freed_memory

zeros = os.open("/dev/zero", os.O_RDONLY)

def answers(count):
    for _ in range(count):
        answer = [os.read(zeros, 1_048_576) for _ in range(4)]

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    answers(50)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

answers(1)
before = faults()
keep_freed_memory()
answers(1)
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_memory_of_answers_is_kept_for_the_next_ones() -> None:
    """Their pages are not asked for anew, one by one."""
    done = subprocess.run([sys.executable, "-c", ANSWERS], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before > 10_000
    assert after < before / 10
