"""Doctests are collected by path: with the packages imported first, no module is loaded twice."""

import funcgrad  # noqa: F401
