"""Training on several devices: where parameters, optimizer state and batches live on a mesh.

Data parallel: the batch is cut along one axis of the mesh and every device has all parameters.
Tensor parallel: patterns of parameter names say which axis of a parameter is cut along which axis
of the mesh. The compiler inserts the communication; the numbers are one device's up to rounding.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from .transforms.leaves import describe
from .transforms.modules import dotted_name


@dataclasses.dataclass(frozen=True)
class Layout:
    """A mesh, the axis of it that cuts batches, and which parameters are cut how.

    Args:
        mesh: the devices, `jax.make_mesh((4, 2), ("data", "model"))` say.
        data_axis: the mesh axis for the batch; the first one by default.
        parameters: from patterns of dotted names (`"layers.*.weight"`) to a `PartitionSpec`. The
            first pattern that fits decides; a parameter that fits none is on every device.

    >>> mesh = jax.make_mesh((1,), ("data",))
    >>> Layout(mesh).spec("layers.0.weight", np.ones((2, 2)))
    P()
    """

    mesh: Mesh
    data_axis: str | None = None
    parameters: Mapping[str, PartitionSpec] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        # Sharding here is a hint for the compiler, not a type that user code must carry along.
        automatic = (AxisType.Auto,) * len(self.mesh.axis_names)
        mesh = Mesh(self.mesh.devices, self.mesh.axis_names, axis_types=automatic)
        object.__setattr__(self, "mesh", mesh)
        object.__setattr__(self, "data_axis", self.data_axis or mesh.axis_names[0])
        if self.data_axis not in mesh.axis_names:
            raise ValueError(
                f"data_axis={self.data_axis!r} is not an axis of the mesh {mesh.shape}"
            )

    def spec(self, name: str, leaf: Any) -> PartitionSpec:
        """How the parameter `name` is cut."""
        for pattern, spec in self.parameters.items():
            if fnmatch.fnmatchcase(name, pattern):
                self._check(name, leaf, spec)
                return spec
        return PartitionSpec()

    def _check(self, name: str, leaf: Any, spec: PartitionSpec) -> None:
        where = f"sharding: parameter {name!r}, {describe(leaf)}, cannot be cut by {spec}"
        if len(spec) > np.ndim(leaf):
            raise ValueError(f"{where}: the specification names more axes than it has")
        for size, axes in zip(np.shape(leaf), spec, strict=False):
            names = (axes,) if isinstance(axes, str) else axes or ()
            unknown = [axis for axis in names if axis not in self.mesh.shape]
            if unknown:
                raise ValueError(f"{where}: the mesh has the axes {self.mesh.axis_names}")
            parts = math.prod(self.mesh.shape[axis] for axis in names)
            if size % parts:
                raise ValueError(f"{where}: {size} is not divisible by {parts} devices")

    def place_params(self, params: Any) -> Any:
        """`params` on the mesh. Every process passes the same values.

        Raises:
            ValueError: a pattern that fits no parameter, or a cut that does not divide.
        """
        flat = jax.tree_util.tree_flatten_with_path(params)[0]
        names = [dotted_name(path) for path, _ in flat]
        for pattern in self.parameters:
            if not fnmatch.filter(names, pattern):
                raise ValueError(f"sharding: no parameter is named {pattern!r}; there are {names}")
        placed = [
            self._put(leaf, self.spec(name, leaf))
            for name, (_, leaf) in zip(names, flat, strict=True)
        ]
        return jax.tree.unflatten(jax.tree.structure(params), placed)

    def place_like(self, tree: Any, params: Any) -> Any:
        """`tree` on the mesh: a leaf at the path and of the shape of a parameter is cut like it.

        This is how momentum follows its parameter; everything else is on every device.
        """
        known = [
            (jax.tree_util.keystr(path), leaf)
            for path, leaf in jax.tree_util.tree_flatten_with_path(params)[0]
        ]

        def place(path: Any, leaf: Any) -> Any:
            name = jax.tree_util.keystr(path)
            fits = [
                (len(end), like.sharding.spec)
                for end, like in known
                if name.endswith(end) and np.shape(leaf) == like.shape
            ]
            return self._put(leaf, max(fits)[1] if fits else PartitionSpec())

        return jax.tree_util.tree_map_with_path(place, tree)

    def replicate(self, tree: Any) -> Any:
        """`tree` on every device of the mesh."""
        return jax.tree.map(lambda leaf: self._put(leaf, PartitionSpec()), tree)

    def spread(self, tree: Any) -> Any:
        """Inside jit: `tree` made to be on every device."""
        everywhere = NamedSharding(self.mesh, PartitionSpec())
        return jax.tree.map(lambda x: jax.lax.with_sharding_constraint(x, everywhere), tree)

    def cut_batch(self, batch: Any) -> Any:
        """Inside jit: the batch cut along its first axis.

        Raises:
            ValueError: a first axis that the devices do not divide, with the path.
        """
        parts = self.mesh.shape[self.data_axis]

        def cut(path: Any, leaf: Any) -> Any:
            if not leaf.ndim or leaf.shape[0] % parts:
                raise ValueError(
                    f"sharding: batch{jax.tree_util.keystr(path)} is {describe(leaf)}, whose first "
                    f"axis cannot be cut in {parts} equal parts (mesh axis {self.data_axis!r})"
                )
            sharding = NamedSharding(self.mesh, PartitionSpec(self.data_axis))
            return jax.lax.with_sharding_constraint(leaf, sharding)

        return jax.tree_util.tree_map_with_path(cut, batch)

    def _put(self, leaf: Any, spec: PartitionSpec) -> Any:
        sharding = NamedSharding(self.mesh, spec)
        if jax.process_count() == 1:
            return jax.device_put(leaf, sharding)
        value = np.asarray(leaf)
        return jax.make_array_from_callback(value.shape, sharding, lambda part: value[part])
