"""`torch.profiler`: named ranges and schedules. Times differ, names and counts do not."""


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
