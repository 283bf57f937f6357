"""Imperative steps as pure functions, compiled programs and scanned loops. This is the map."""

from .compiled import Compiled as Compiled
from .compiled import compile as compile
from .errors import DataDependentError as DataDependentError
from .errors import LeakedTracerError as LeakedTracerError
from .errors import PurifyError as PurifyError
from .loop import scan as scan
from .pure import Pure as Pure
from .pure import State as State
from .pure import purify as purify
