"""A program under real PyTorch, under `stateful`, and as a functional twin, number by number.

`stateful compare PATH...` is the command; `compare_program` is the function under it. Each side
runs in a process of its own and writes a trace (`trace.py`): gradient calls, optimizer steps,
random draws, printed text, warnings, exceptions. The traces are aligned (`align.py`) and compared
under one policy (`tolerance.py`); when a gradient parts, the call is run again node by node to name
the operation (`locate.py`).

A functional twin is a file `functional.py` beside `torch_style.py`; `twin.py` says how it reports.
"""

from .comparison import Comparison as Comparison
from .comparison import Settings as Settings
from .comparison import compare_program as compare_program
from .programs import Program as Program
from .programs import find_programs as find_programs
from .programs import record as record
from .programs import recorded as recorded
from .tolerance import Difference as Difference
from .tolerance import Tolerance as Tolerance
from .trace import Event as Event
from .trace import Quantity as Quantity
from .trace import Trace as Trace
from .trace import read_trace as read_trace
