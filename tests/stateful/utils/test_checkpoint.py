"""What `checkpoint` does beyond PyTorch; the rest is in `conformance/checkpointing.py`."""

import pytest

import stateful as torch
from stateful.utils.checkpoint import checkpoint


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_compiled_step_draws_the_same_numbers_again(use_reentrant):
    """The state of the generator is traced inside of a compiled step: it has no bytes to keep."""

    def gradient_and_next_draw(transform):
        w, x = torch.ones(64, requires_grad=True), torch.ones(64, requires_grad=True)

        def step(x):
            dropped = checkpoint(
                lambda t: torch.nn.functional.dropout(w * t), x, use_reentrant=use_reentrant
            )
            dropped.sum().backward()
            return dropped.detach()

        torch.manual_seed(0)
        dropped = transform(step)(x)
        assert torch.equal(w.grad, dropped)
        return w.grad.tolist(), torch.rand(3).tolist()

    eager = gradient_and_next_draw(lambda step: step)
    assert 0 < eager[0].count(0) < 64
    assert gradient_and_next_draw(torch.compile) == eager
