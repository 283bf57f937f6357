"""Files go from one framework to the other, and nothing in them is run."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

import stateful


def through(save, load, obj):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return load(file)


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "bfloat16", "int64", "int8",
                                  "uint8", "bool", "complex64", "complex128"])  # fmt: skip
def test_every_dtype_both_ways(name):
    theirs = torch.tensor([[1, 0, 3], [4, 5, 6]]).to(getattr(torch, name))
    ours = through(torch.save, stateful.load, {"x": theirs, "t": theirs.t()})
    for key, expected in (("x", theirs), ("t", theirs.t())):
        assert ours[key].tolist() == expected.tolist() and str(ours[key].dtype) == f"torch.{name}"
    back = through(stateful.save, torch.load, ours)
    assert torch.equal(back["t"], theirs.t()) and back["x"].dtype is theirs.dtype


def test_a_model_and_its_optimizer():
    model = stateful.nn.Sequential(stateful.nn.Linear(2, 3), stateful.nn.BatchNorm1d(3))
    optimizer = stateful.optim.Adam(model.parameters())
    model(stateful.randn(4, 2)).sum().backward()
    optimizer.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    theirs = through(stateful.save, torch.load, state)
    twin = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    twin.load_state_dict(theirs["model"])
    torch.optim.Adam(twin.parameters()).load_state_dict(theirs["optimizer"])
    ours = through(torch.save, stateful.load, {"model": twin.state_dict()})
    model.load_state_dict(ours["model"])
    assert np.array_equal(twin[0].weight.detach().numpy(), model[0].weight.detach().numpy())


def test_parameters_sizes_and_shared_tensors():
    x = stateful.ones(2)
    obj = {"p": stateful.nn.Parameter(x), "x": x, "same": x, "s": stateful.Size([2]),
           "d": stateful.float16, "none": None, "nested": [(1, 2.5, "a"), {3}]}  # fmt: skip
    ours = through(stateful.save, stateful.load, obj)
    assert isinstance(ours["p"], stateful.nn.Parameter) and ours["x"] is ours["same"]
    assert ours["s"] == stateful.Size([2]) and ours["d"] is stateful.float16
    assert ours["nested"] == [(1, 2.5, "a"), {3}] and ours["none"] is None
    theirs = through(stateful.save, torch.load, obj)
    assert isinstance(theirs["p"], torch.nn.Parameter) and theirs["d"] is torch.float16


class Evil:
    def __reduce__(self):
        return os.mkdir, ("must_not_exist",)


def test_code_in_a_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"x": Evil()}))
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        stateful.load(file, weights_only=False)
    assert not os.path.exists("must_not_exist")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(RuntimeError, match="zip format only"):
        stateful.load(path)
