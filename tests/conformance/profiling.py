"""`torch.profiler`: named ranges and schedules. Times differ, names and counts do not."""

import importlib


def named(measured, *names):
    return sorted((e.key, e.count) for e in measured.key_averages() if e.key in names)


def case_named_ranges(torch, show):
    for profiler in (torch.profiler, torch.autograd.profiler):
        with profiler.profile() as measured:
            for _ in range(2):
                with profiler.record_function("outer"):
                    with profiler.record_function("inner"):
                        show(torch.ones(2).sum())
        show(named(measured, "outer", "inner"))
        times = {e.key: e for e in measured.key_averages()}
        outer, inner = times["outer"], times["inner"]
        show(outer.cpu_time_total > inner.cpu_time_total > 0)
        show(outer.self_cpu_time_total <= outer.cpu_time_total - inner.cpu_time_total + 1)
        table = measured.key_averages().table(sort_by="cpu_time_total", row_limit=10)
        show([word in table for word in ("outer", "inner", "CPU total", "# of Calls")])


def case_decorator(torch, show):
    @torch.profiler.record_function("f")
    def f(x):
        return x + 1

    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as measured:
        show(f(torch.ones(2)))
    show(named(measured, "f"))
    with torch.autograd.profiler.profile(enabled=False) as measured:
        show(f(torch.ones(2)))


def case_schedule(torch, show):
    plan = torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    show([plan(step).name for step in range(11)])
    endless = torch.profiler.schedule(wait=0, warmup=1, active=1)
    show([endless(step).name for step in range(5)])
    show.error(lambda: torch.profiler.schedule(wait=0, warmup=0, active=0), "Invalid profiler sch")
    saved = []

    def ready(measured):
        saved.append((measured.step_num, named(measured, "0", "1", "2", "3", "4", "5")))

    plan = torch.profiler.schedule(wait=0, warmup=1, active=2, repeat=1)
    with torch.profiler.profile(schedule=plan, on_trace_ready=ready) as measured:
        for number in range(5):
            with torch.profiler.record_function(str(number)):
                torch.ones(2).sum()
            measured.step()
    show(saved)
    with torch.profiler.profile(on_trace_ready=ready):
        pass
    show(saved)


def case_ops(torch, show):
    profiler = torch.autograd.profiler
    x = torch.ones(2, 3, requires_grad=True)
    show(torch.autograd._profiler_enabled())
    with profiler.profile(record_shapes=True) as measured:
        show(torch.autograd._profiler_enabled())
        with profiler.record_function("outer"):
            y = x * 2 + 4
        z = torch.mm(y, x.t())
        z.exp()
    show(torch.autograd._profiler_enabled())
    wanted = ("outer", "aten::mul", "aten::add", "aten::t", "aten::mm", "aten::exp")
    found = [e for e in measured.function_events if e.name in wanted]
    show([e.name for e in found], [e.cpu_parent.name for e in found if e.cpu_parent])
    show([e.input_shapes for e in found if e.name in ("aten::mm", "aten::exp")])
    show(len({e.thread for e in found}), [e.count for e in found])
    starts = [e.time_range.start for e in measured.function_events]
    show(starts == sorted(starts), all(e.time_range.elapsed_us() >= 0 for e in found))
    show("aten::mm" in measured.key_averages().table(sort_by="self_cpu_time_total", row_limit=5))
    total = measured.total_average()
    show(total.key, total.self_cpu_time_total > 0, type(total).__name__)


def case_nodes_of_backward_passes(torch, show):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    def ranges(measured):
        wanted = ("Backward", "AccumulateGrad", "aten::mul", "aten::expand", "aten::exp")
        return [
            (e.name, e.cpu_parent.name if e.cpu_parent else None)
            for e in measured.function_events if any(word in e.name for word in wanted)
        ]  # fmt: skip

    x = torch.ones(2, 3, requires_grad=True)
    with torch.autograd.profiler.profile() as measured:
        (x * 2).exp().sum().backward()
    show(ranges(measured), x.grad)
    with torch.autograd.profiler.profile() as measured:
        (grad,) = torch.autograd.grad((x * 2).sum(), x)
        Twice.apply(x).sum().backward()
    show(ranges(measured), grad, x.grad)
    with torch.autograd.profiler.profile() as measured:
        (grad,) = torch.autograd.grad((x * x).sum(), x, create_graph=True)
        torch.autograd.grad(grad.sum(), x)
    show(sorted({name for name, _ in ranges(measured) if "evaluate" in name}))
    (x * 2).sum().backward()
    show(x.grad)


def case_averages(torch, show):
    with torch.profiler.profile(record_shapes=True) as measured:
        for size in (2, 2, 3):
            torch.ones(size).exp()
    for by_shape in (False, True):
        averages = measured.key_averages(group_by_input_shape=by_shape)
        show(sorted((e.count, e.input_shapes or []) for e in averages if e.key == "aten::exp"))
    show([e.name for e in measured.events() if e.name == "aten::exp"])
    with torch.autograd.profiler.profile(enabled=False) as measured:
        torch.ones(2).exp()
    show(torch.autograd._profiler_enabled())


def case_events_by_hand(torch, show):
    util = importlib.import_module(f"{torch.__name__}.autograd.profiler_util")
    events = util.EventList()
    for number, (thread, start, end) in enumerate(
        [(0, 0, 90), (1, 5, 12), (0, 1, 10), (0, 2, 9), (0, 12, 90), (0, 13, 45), (1, 6, 7)]
    ):
        events.append(util.FunctionEvent(number, f"f{number % 2}", thread, start, end))
    events._build_tree()
    for event in events:
        show([child.id for child in event.cpu_children], event.cpu_parent and event.cpu_parent.id)
        show(event.cpu_time_total, event.self_cpu_time_total, event.cpu_time_str)
    total = util.FunctionEventAvg()
    total.add(events[1])
    total += events[3]
    total.add(total)
    show(total.key, total.count, total.cpu_time_total, total.cpu_time, total.device_time_total)
    show.error(lambda: total.add(events[0]))
    show([util._format_time(t) for t in (0.5, 1500.0, 2.5e6)])
    show(util.Interval(3, 10).elapsed_us())
