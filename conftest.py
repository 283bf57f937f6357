"""Doctests are collected by path: with the packages imported first, no module is loaded twice.

``pytest --execution eager`` runs everything under another policy of `stateful` than the lazy one.
"""

import funcgrad  # noqa: F401
import stateful


def pytest_addoption(parser):
    parser.addoption("--execution", choices=("lazy", "eager"), default="lazy",
                     help="how stateful runs ops")  # fmt: skip


def pytest_configure(config):
    stateful.set_execution(config.getoption("--execution"))
