"""Doctests are collected by path: with the packages imported first, no module is loaded twice.

``pytest --execution eager`` runs everything under another policy of `stateful` than the lazy one.
"""

import itertools
from pathlib import Path

import jax

import funcgrad  # noqa: F401
import stateful

AREAS = Path("/proc/self/maps")
MOST = 30_000
"""Areas of memory after which compiled programs are forgotten. Each takes six, and Linux grants a
process 65,530; the next compilation after that ends it."""

_tests = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--execution", choices=("lazy", "eager"), default="lazy",
                     help="how stateful runs ops")  # fmt: skip


def pytest_configure(config):
    stateful.set_execution(config.getoption("--execution"))


def pytest_runtest_teardown():
    if next(_tests) % 25 == 0 and AREAS.exists() and AREAS.read_bytes().count(b"\n") > MOST:
        jax.clear_caches()
