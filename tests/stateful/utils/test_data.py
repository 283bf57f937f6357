"""`utils.data` against PyTorch's, with the same seeds."""

import pytest
import torch

import stateful

FACES = (torch, stateful)


def both(function):
    """The results of a function of the namespace under both, from the same seed."""
    results = []
    for face in FACES:
        face.manual_seed(11)
        results.append(function(face, face.utils.data))
    assert results[1] == results[0]
    return results[1]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("given_generator", [False, True])
def test_shuffled_batches(drop_last, given_generator):
    def run(face, data):
        generator = face.Generator().manual_seed(3) if given_generator else None
        dataset = data.TensorDataset(face.arange(11), face.arange(11) * 2)
        loader = data.DataLoader(dataset, 4, shuffle=True, drop_last=drop_last, generator=generator)
        epochs = [[[x.tolist() for x in batch] for batch in loader] for _ in range(3)]
        return epochs, len(loader), face.rand(2).tolist()

    both(run)


def test_an_unshuffled_loader_draws_once():
    both(lambda face, data: (list(map(int, data.DataLoader(range(3)))), face.rand(1).item()))


@pytest.mark.parametrize("lengths", [[3, 7], [0.5, 0.25, 0.25], [0.33, 0.33, 0.34]])
def test_random_split(lengths):
    both(lambda face, data: [list(part) for part in data.random_split(range(10), lengths)])


def test_samplers():
    def run(face, data):
        return [
            list(data.RandomSampler(range(7))),
            list(data.RandomSampler(range(7), num_samples=17)),
            list(data.RandomSampler(range(7), replacement=True, num_samples=70)),
            list(data.SubsetRandomSampler([4, 2, 9])),
            list(data.WeightedRandomSampler([0.1, 0.9, 0.5], 6)),
            list(data.WeightedRandomSampler([0.1, 0.9, 0.5], 2, replacement=False)),
            list(data.BatchSampler(data.SequentialSampler(range(5)), 2, True)),
        ]

    both(run)


def test_collating():
    def run(face, data):
        items = [{"a": i, "b": (float(i), f"{i}"), "c": [face.ones(2) * i]} for i in range(3)]
        (batch,) = data.DataLoader(items, batch_size=3)
        return (batch["a"].tolist(), str(batch["a"].dtype), batch["b"][0].tolist(),
                str(batch["b"][0].dtype), batch["b"][1], batch["c"][0].tolist())  # fmt: skip

    both(run)


def test_iterable_and_joined_datasets():
    def run(face, data):
        class Count(data.IterableDataset):
            def __iter__(self):
                return iter(range(5))

        joined = data.ConcatDataset([range(3), range(10, 12)])
        return ([b.tolist() for b in data.DataLoader(Count(), batch_size=2)],
                [joined[i] for i in (-1, 0, 3)], len(joined),
                list(data.Subset("abcdef", [5, 0])))  # fmt: skip

    both(run)


@pytest.mark.parametrize(
    "options",
    [{"shuffle": True, "sampler": [0]}, {"batch_size": None, "drop_last": True},
     {"num_workers": -1}, {"batch_sampler": [[0]], "shuffle": True}, {"batch_size": 0}],
)  # fmt: skip
def test_refusals(options):
    for face in FACES:
        with pytest.raises(ValueError):
            face.utils.data.DataLoader(range(3), **options)
