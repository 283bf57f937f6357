"""Names of ``torch._C`` that tests and libraries use."""


def case_undefined_gradients(torch, show):
    x = torch.ones(2, requires_grad=True)
    undefined = torch._C._functions.UndefinedGrad()
    y = undefined(x * 2)
    show(y, y.grad_fn.next_functions[0][0])
    show(torch.autograd.grad(y.sum(), x, allow_unused=True), undefined(torch.ones(2)))
    (undefined(x * 2).sum() + (x * 3).sum()).backward()
    show(x.grad)
    a, b, seen = x * 2, x * 3, []
    a.register_hook(seen.append)
    (undefined(a) + b).sum().backward()
    show(seen, x.grad)
    torch.stack([undefined(x), x * 3]).sum().backward()
    show(x.grad)
    show.error(lambda: undefined(3), "is not a Variable")
    show.error(lambda: undefined(x, x), "expected 1 arguments, got 2 instead")


def case_delayed_error(torch, show):
    x = torch.ones(2, requires_grad=True)
    delayed = torch._C._functions.DelayedError("boom", 2)
    y, z = delayed(x, x * 2)
    show(y, z, y.data_ptr() == x.data_ptr())
    show.error(lambda: (y + z).sum().backward(), "boom")
    show.error(lambda: delayed(x), "expected 2 arguments, got 1 instead")
    show(torch._C._functions.DelayedError("no", 1)(torch.ones(1)))


def case_running_backward(torch, show):
    C, x, z = torch._C, torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    show(C._current_graph_task_id(), C._current_autograd_node())
    y, other = x * z, x * 1
    s, seen, ids = y.sum(), [], []

    def hook(grad):
        ids.append(C._current_graph_task_id())
        seen.append([
            C._current_autograd_node().name(), C._will_engine_execute_node(y.grad_fn),
            C._will_engine_execute_node(other.grad_fn),
            C._autograd._get_current_graph_task_keep_graph(),
        ])  # fmt: skip

    y.register_hook(hook)
    s.backward(retain_graph=True)
    s.backward(inputs=[x])
    show(seen, len(set(ids)), min(ids) >= 0)
    show.error(lambda: C._will_engine_execute_node(other.grad_fn), "during the backward pass")
    show.error(lambda: C._will_engine_execute_node(3), "_will_engine_execute_node expects an grad")


def case_default_hooks_on_saved_tensors(torch, show):
    A = torch._C._autograd
    A._saved_tensors_hooks_disable("no hooks")
    show(A._saved_tensors_hooks_is_enabled(), A._saved_tensors_hooks_get_disabled_error_message())
    show.error(lambda: torch.autograd.graph.save_on_cpu().__enter__(), "no hooks")
    A._saved_tensors_hooks_enable()
    show(A._saved_tensors_hooks_is_enabled())
    x = torch.ones(2, requires_grad=True)
    A._push_saved_tensors_default_hooks(lambda t: t * 2, lambda t: t)
    y = x * x
    A._pop_saved_tensors_default_hooks()
    show(y.grad_fn._saved_self, type(y.grad_fn._raw_saved_self) is A.SavedTensor)
    show.error(A._pop_saved_tensors_default_hooks)


def case_versions(torch, show):
    x = torch.ones(2)
    x.add_(1).add_(1)
    torch._C._autograd._unsafe_set_version_counter((x,), (1,))
    show(x._version)
    torch._C._increment_version([x])
    show(x._version)


def case_switches(torch, show):
    C = torch._C
    C._set_grad_enabled(False)
    show(torch.is_grad_enabled())
    C._set_grad_enabled(True)
    show(torch.is_grad_enabled(), C._is_fwd_grad_enabled(), C._is_view_replay_enabled())
    C._set_multithreading_enabled(False)
    show(C._is_multithreading_enabled())
    C._set_multithreading_enabled(True)
    show(C._is_multithreading_enabled())
    mode = C._InferenceMode(True)
    show(torch.is_inference_mode_enabled())
    del mode
    show(torch.is_inference_mode_enabled())
    show(C._enter_dual_level())
    C._exit_dual_level(level=0)
    show(C._get_tracing_state(), C._len_torch_function_stack(), C._is_torch_function_enabled())


def case_questions(torch, show):
    C, x = torch._C, torch.ones(2)
    show(C._is_alias_of(x, x.view(2)), C._is_alias_of(x, x.clone()), C._has_storage(x))
    show(isinstance(x, C.TensorBase), C._get_warnAlways(), C._is_any_autocast_enabled())
    show(C._functorch.is_batchedtensor(x), C._functorch.maybe_current_level())

    def look(t):
        show(C._functorch.is_batchedtensor(t), C._functorch.maybe_current_level())
        return t

    torch.func.vmap(look)(x)


def case_the_engine_as_programs_call_it(torch, show):
    engine, x = torch.autograd.Variable._execution_engine, torch.ones(2, requires_grad=True)
    y, one = (x * 2).sum(), torch.tensor(1.0)
    show(engine.run_backward((y,), (one,), True, False, (x,), allow_unreachable=True))
    engine.run_backward((y,), (one,), False, False, (), accumulate_grad=True)
    show(x.grad)


def case_names_in_autograd(torch, show):
    autograd, x = torch.autograd, torch.ones(1, requires_grad=True)
    show(autograd.graph._get_grad_fn_or_grad_acc(x), autograd.is_view_replay_enabled())
    with autograd._force_original_view_tracking(True):
        show(autograd.is_view_replay_enabled())

    class Same(autograd.Function):
        @staticmethod
        def forward(x):
            return x.clone()

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    show(issubclass(Same, autograd.function._SingleLevelFunction))
    show(autograd.function._is_setup_context_defined(Same.setup_context))
    show(autograd.function._is_setup_context_defined(autograd.Function.setup_context))
    show(list(autograd.function._iter_tensors([x, (x * 2, None, {"a": x})])))
    show(type((x * x).grad_fn._raw_saved_self) is autograd.SavedTensor)


def case_duals_by_level(torch, show):
    with torch.autograd.forward_ad.dual_level():
        dual = torch._make_dual(torch.ones(2), torch.full((2,), 3.0), level=0)
        show(*torch._unpack_dual(dual * 2, level=0))


def case_swapped_tensors(torch, show):
    a, b = torch.ones(2, requires_grad=True), torch.zeros(3)
    b.note = 1
    torch.utils.swap_tensors(a, b)
    show(a, b, hasattr(a, "note"))
    y = (b * 2).sum()
    y.backward()
    show(b.grad, a.grad)
    z = b * 2
    torch.utils.swap_tensors(a, b)
    show(a.grad, b.grad)
    show.error(z.sum().backward, "poisoned by swap_tensors")


def case_modules_and_settings(torch, show):
    show(torch.functional.einsum("i,i", torch.ones(2), torch.ones(2)))
    show(torch._tensor.Tensor is torch.Tensor, torch.storage.UntypedStorage)
    show(torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"))
    torch.set_deterministic_debug_mode("warn")
    show(torch.get_deterministic_debug_mode(), torch.are_deterministic_algorithms_enabled())
    show(torch.is_deterministic_algorithms_warn_only_enabled())
    torch.set_deterministic_debug_mode("default")
    show(torch.get_deterministic_debug_mode(), torch.jit.is_scripting(), torch.jit.is_tracing())
    show.error(lambda: torch.set_deterministic_debug_mode("no"))
    show(torch.compiler.is_compiling(), torch.xpu.is_available(), torch.accelerator.device_count())
    show(
        torch._VF.tanh(torch.zeros(1)), torch.jit.annotate(int, 3), torch.compiler.disable(len)([1])
    )


def case_a_view_of_another_base(torch, show):
    x = torch.arange(4.0, requires_grad=True)
    with torch.autograd._force_original_view_tracking(True):
        v = x.view(2, 2)[1]
        w = v._view_func(x + 1)
    show(w.detach(), w._is_view(), torch.autograd.grad(w.sum(), x))
