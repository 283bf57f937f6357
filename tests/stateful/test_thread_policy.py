"""Several threads may each have a policy of their own at the same time."""

import threading

from stateful import execute
from stateful.thread_policy import run_by


def test_threads_come_and_go_in_any_order():
    before, seen = execute.policy, {}
    both, first_left, kernel = threading.Barrier(2), threading.Event(), object()

    def policy_of(name):
        return lambda fn, static, leaves: (name, [])

    def first():
        with run_by(policy_of("first")):
            both.wait()
            seen["first"] = execute.policy(kernel, (), [])[0]
        first_left.set()

    def second():
        with run_by(policy_of("second")):
            both.wait()
            first_left.wait()
            seen["second"] = execute.policy(kernel, (), [])[0]

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"first": "first", "second": "second"}
    assert execute.policy is before


def test_the_innermost_policy_counts():
    before = execute.policy
    with run_by(lambda *call: "outer"):
        with run_by(lambda *call: "inner"):
            assert execute.policy(None, (), []) == "inner"
        assert execute.policy(None, (), []) == "outer"
    assert execute.policy is before
