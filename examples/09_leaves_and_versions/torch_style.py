"""Who owns a gradient, who shares memory, and how the tape notices that a value was overwritten."""

import torch

# Leaves: made by the user, not by an operation. Only they get a .grad.
w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
doubled = w * 2
loss = doubled.pow(2).sum()
loss.backward()
print("leaf:", w.is_leaf, doubled.is_leaf, "gradient:", w.grad.tolist())

# A new value under an old name, or new numbers in the old place.
a = torch.zeros(3)
before = a
a = a + 1
print("a = a + 1   same tensor:", a is before, "old value:", before.tolist())
before = a
address = a.data_ptr()
a += 1
print("a += 1      same tensor:", a is before, "old value:", before.tolist())
print("same address:", a.data_ptr() == address, "version:", a._version)

# A view is a window on the same memory: writing through it changes the base.
matrix = torch.arange(6.0).reshape(2, 3)
row = matrix[1]
row *= 10
print("through a view:", matrix.tolist())
print("versions:", matrix._version, row._version)

# A leaf that needs a gradient may not be overwritten: the tape would lose its place.
try:
    w.add_(1)
except RuntimeError as error:
    print("leaf in place: refused,", "a leaf Variable that requires grad" in str(error))

# tanh saved its result, so overwriting the result is caught in backward.
hidden = w.tanh()
loss = hidden.sum()
hidden.mul_(2)
try:
    loss.backward()
except RuntimeError as error:
    print("overwritten result: refused,", "modified by an inplace operation" in str(error))

# Overwriting the input of exp is fine: exp saved its result, not its input.
w.grad = None
scratch = w * 1
result = scratch.exp()
scratch.zero_()
loss = result.sum()
loss.backward()
print("overwritten input:", [f"{g:.4f}" for g in w.grad.tolist()])

# .data goes behind the tape's back: no error, and a wrong gradient (4 + 4 instead of 2 * w).
w.grad = None
scratch = w * 1
squared = scratch * scratch
scratch.data.fill_(4)
loss = squared.sum()
loss.backward()
print("behind its back:", w.grad.tolist())
