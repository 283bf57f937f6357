"""Griffe extensions for the API pages; see mkdocs.yml."""

import re

import griffe

DOCTEST = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)


class FencedDoctests(griffe.Extension):
    """Puts a fence around every doctest: Markdown would take `>>>` for a quotation."""

    def on_object(self, *, obj, **kwargs):
        """Called by griffe for every module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)


class PrivateFiles(griffe.Extension):
    """Shows what a package takes from its files with a leading underscore as its own."""

    def on_module(self, *, mod, **kwargs):
        """Called by griffe for every module: `from ._file import name as name` exports a name."""
        if not mod.is_init_module:
            return
        taken = [name for name, one in mod.members.items() if one.is_alias and _is_private(one)]
        if taken:
            own = [name for name, one in mod.members.items() if not one.is_alias and name[0] != "_"]
            mod.exports = own + taken


def _is_private(alias):
    return any(part.startswith("_") for part in alias.target_path.split("."))
