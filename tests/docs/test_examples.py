"""Every public name of `stateful` has a docstring with an example, which runs.

The examples of names that PyTorch has too run on PyTorch as well, and print the same there.
"""

import doctest
import functools
import importlib
import inspect
import pkgutil
import re
import warnings
from types import ModuleType

import pytest
import torch

import stateful

assert torch.__version__.startswith("2.13")

OWN = ("stateful.compare", "stateful.purify")
"""Packages that PyTorch does not have; every other module here stands for one of PyTorch's."""


def counterpart(path):
    """PyTorch's module of the same name, or None."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return importlib.import_module(path.replace("stateful", "torch", 1))
    except ImportError:
        return None


def modules():
    """Public modules by path."""
    found = {"stateful": stateful}
    for info in pkgutil.walk_packages(stateful.__path__, "stateful."):
        path = info.name
        hidden = any(part.startswith("_") for part in path.split(".")[1:])
        inside = path.startswith(tuple(f"{own}." for own in OWN))
        if not hidden and not inside and (path in OWN or counterpart(path)):
            found[path] = importlib.import_module(path)
    return found


def public_names(path, module):
    """What PyTorch's module has too; of a module of our own, what it is the map of."""
    theirs = counterpart(path)
    declared = getattr(module, "__all__", None)
    for name, item in vars(module).items():
        if name.startswith("_") or isinstance(item, ModuleType) or not callable(item):
            continue
        if declared is not None:
            public = name in declared
        else:
            public = hasattr(theirs, name) or path in OWN or path == "stateful"
        if public and str(item.__module__).startswith(("stateful", "funcgrad", "torch")):
            yield f"{path}.{name}", item


CLASSES = (
    "Tensor", "nn.Module", "optim.Optimizer", "optim.lr_scheduler.LRScheduler", "autograd.Function",
    "autograd.function.FunctionCtx",
)  # fmt: skip
"""Classes whose methods and attributes are public names as well."""


def members(path):
    """The methods and properties that a class itself defines."""
    for name, item in vars(functools.reduce(getattr, path.split("."), stateful)).items():
        item = item.__func__ if isinstance(item, classmethod | staticmethod) else item
        if not name.startswith("_") and (callable(item) or isinstance(item, property)):
            yield f"stateful.{path}.{name}", item


def every_name():
    found = {}
    for path, module in modules().items():
        found.update(public_names(path, module))
    for path in CLASSES:
        found.update(members(path))
    return found


def documentation(item):
    """The docstring of a function, property or object; of a class, only its own."""
    return vars(item).get("__doc__") if isinstance(item, type) else item.__doc__


def example_of(item):
    """The docstring, if there is an example in it."""
    text = documentation(item) or ""
    return text if ">>> " in text else None


def exists_in_torch(name):
    item = torch
    for part in name.split(".")[1:]:
        if not hasattr(item, part):
            return False
        item = getattr(item, part)
    return True


NAMES = every_name()
FIRST: dict[str, str] = {}
"""The first name of each docstring; names of the same function share one."""
for _name, _item in NAMES.items():
    if example_of(_item):
        FIRST.setdefault(example_of(_item), _name)
EXAMPLES = {name: text for text, name in FIRST.items()}
NOT_AS_TORCH = {
    "stateful.manual_seed": "a Generator prints its seed and position",
    "stateful.Generator": "a Generator prints its seed and position",
    "stateful.dtype": "NumPy and JAX take it too",
    "stateful.nn.modules.module.register_module_backward_hook": "refused after full hooks",
    "stateful.cuda.initial_seed": "one generator; PyTorch asks for a GPU",
    "stateful.Tensor.is_coalesced": "False; PyTorch asks for a sparse tensor",
    "stateful.Tensor.pin_memory": "the tensor itself; PyTorch asks for an accelerator",
}
"""Names whose example PyTorch does not print the same of, and what is different here."""

OF_TORCH = [
    name for name, text in EXAMPLES.items()
    if "import stateful" in text and exists_in_torch(name) and name not in NOT_AS_TORCH
]  # fmt: skip


def run(name, text):
    """Fail with what went wrong unless every example prints what stands below it."""
    test = doctest.DocTestParser().get_doctest(inspect.cleandoc(text), {}, name, None, None)
    report = []
    runner = doctest.DocTestRunner(
        verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    failed, tried = runner.run(test, out=report.append)[:2]
    assert tried and not failed, "".join(report)


def test_every_public_name_has_an_example():
    assert len(NAMES) > 2000
    missing = [name for name, item in NAMES.items() if not example_of(item)]
    assert not missing, " ".join(missing)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name):
    run(name, EXAMPLES[name])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_TORCH)
def test_example_prints_the_same_under_torch(name):
    try:
        run(name, re.sub(r"\bstateful\b", "torch", EXAMPLES[name]))
    finally:  # `torch.compile` switches the checks of distributions off for good
        torch.distributions.Distribution.set_default_validate_args(True)
