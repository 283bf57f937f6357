"""The parameters and the batch of every workload, as numpy arrays: the same for every column.

Each function takes the sizes of the workload and returns ``(parameters, batch)``, two dictionaries
of float32 arrays (class labels are int64). Matrices are (inputs, outputs).
"""

import numpy as np

Arrays = dict[str, np.ndarray]


def _arrays(rng: np.random.Generator, scale: float | None = None, **shapes) -> Arrays:
    """Normal arrays; matrices are divided by the square root of their number of inputs."""
    made = {}
    for name, shape in shapes.items():
        inputs = shape[0] if len(shape) == 2 else int(np.prod(shape[1:])) or 1
        factor = scale if scale is not None else inputs**-0.5
        made[name] = (rng.normal(size=shape) * factor).astype(np.float32)
    return made


def tiny_mlp(batch=4, inputs=8, hidden=3, outputs=2) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(1)
    parameters = _arrays(rng, w1=(inputs, hidden), w2=(hidden, outputs))
    return parameters, _arrays(rng, 1.0, x=(batch, inputs), y=(batch, outputs))


def two_layer(batch=64, inputs=1000, hidden=100, outputs=10) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(2)
    parameters = _arrays(rng, w1=(inputs, hidden), w2=(hidden, outputs))
    parameters |= _arrays(rng, 0.1, b1=(hidden,), b2=(outputs,))
    return parameters, _arrays(rng, 1.0, x=(batch, inputs), y=(batch, outputs))


def polynomial(points=256) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(3)
    return _arrays(rng, 0.3, a=(), b=(), c=(), d=()), {}


def recurrent(steps=50, batch=8, inputs=16, hidden=32) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(4)
    parameters = _arrays(rng, wx=(inputs, hidden), wh=(hidden, hidden), wo=(hidden, inputs))
    parameters |= _arrays(rng, 0.1, b=(hidden,))
    return parameters, _arrays(rng, 1.0, x=(steps, batch, inputs), y=(batch, inputs))


def transformer(layers=2, width=128, tokens=64, batch=8, heads=4) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(5)
    parameters: Arrays = {}
    for i in range(layers):
        parameters |= _arrays(rng, **{
            f"qkv{i}": (width, 3 * width), f"out{i}": (width, width),
            f"up{i}": (width, 4 * width), f"down{i}": (4 * width, width),
        })  # fmt: skip
        for name in (f"gain_a{i}", f"gain_b{i}"):
            parameters[name] = np.ones(width, np.float32)
        for name in (f"shift_a{i}", f"shift_b{i}"):
            parameters[name] = np.zeros(width, np.float32)
    return parameters, _arrays(rng, 1.0, x=(batch, tokens, width), y=(batch, tokens, width))


def convolutional(batch=16, size=28, channels=8, classes=10) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(6)
    features = 2 * channels * (size // 4) ** 2
    parameters = _arrays(
        rng, k1=(channels, 1, 3, 3), k2=(2 * channels, channels, 3, 3), w=(features, classes)
    )
    parameters |= _arrays(rng, 0.1, c1=(channels,), c2=(2 * channels,), b=(classes,))
    images = _arrays(rng, 1.0, x=(batch, 1, size, size))
    return parameters, images | {"y": rng.integers(0, classes, batch)}


def gradient_penalty(batch=32, inputs=16, hidden=32) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(7)
    parameters = _arrays(rng, w1=(inputs, hidden), w2=(hidden, hidden), w3=(hidden, 1))
    parameters |= _arrays(rng, 0.1, b1=(hidden,), b2=(hidden,))
    return parameters, _arrays(rng, 1.0, x=(batch, inputs))


def pointwise(ops=100, elements=64) -> tuple[Arrays, Arrays]:
    return _arrays(np.random.default_rng(8), 1.0, x=(elements,)), {}


def matmul(size=128) -> tuple[Arrays, Arrays]:
    return _arrays(np.random.default_rng(9), x=(size, size), w=(size, size)), {}
