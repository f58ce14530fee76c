"""Processes, messages, calls and the prompt, as their user types them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.stories.host import SCENARIOS

if TYPE_CHECKING:
    from tests.stories.host import Host
    from tests.stories.terminal import Shell


@pytest.fixture(scope="module")
def a(host: Host) -> Shell:
    """A shell outside of its project directory (`-S`)."""
    return host.shell("a", "-S", str(SCENARIOS / "product_stock"))


@pytest.fixture(scope="module")
def b(host: Host) -> Shell:
    """A node without modules of its own."""
    return host.shell("b")


class TestNames:
    def test_each_registration_error_names_its_rule(self, a: Shell, b: Shell) -> None:
        first = a.type("one = spawn(product_stock.handle_stock, []); one").split("\n")[-1]
        assert a.type('Process.register(one, "one")') == "True"
        refused = "RegistrationError: cannot register"
        assert a.type('Process.register(one, "uno")') == (
            f"{refused} {first} as 'uno': it is registered as 'one' already"
        )
        assert a.type('Process.register(self(), "one")') == (
            f"{refused} #PID<0.1.0> as 'one': the name is taken by {first}"
        )
        assert a.type("Process.register(self(), None)").endswith("a name is a str that is not empty")
        assert a.type("Process.registered(), Process.whereis('one') == one") == "(['one'], True)"
        assert a.type('Process.exit(one, "kill")') == "True"
        assert a.type('Process.whereis("one")') == ""
        assert a.type('Process.register(one, "late")') == f"{refused} {first} as 'late': it is not alive"
        far = f'pid("{b.type("self()")[5:-1]}")'
        assert b.type("Process.unregister('absent')").endswith("no process has that name")
        a.type('there = rpc.call("b", "pyx", "self")')
        assert a.type('Process.register(there, "x")').endswith("as 'x': it is not a process of this node")
        assert b.type(f"{far} == self()") == "True"

    @pytest.mark.usefixtures("b")
    def test_send_raises_for_a_missing_local_name_only(self, a: Shell) -> None:
        assert a.type('send("absent", 1)') == "NoProcess: no process is registered as 'absent' on this node"
        assert a.type('send(("absent", Node.self()), 1)') == "1"
        assert a.type('send(("absent", "b"), 1)') == "1"
        assert a.type("gone, ref = spawn_monitor(int); receive(timeout=60)[4]") == "'normal'"
        assert a.type("send(gone, 1)") == "1"


class TestInfo:
    def test_info_about_a_remote_process(self, a: Shell, b: Shell) -> None:
        b.type("def waits(): receive('never')\n")
        b.type('Process.register(spawn(waits), "waits")')
        a.type('there = rpc.call("b", "Process", "whereis", ["waits"])')
        assert a.type('Process.info(there, "registered_name")') == "('registered_name', 'waits')"
        assert a.type('Process.info(there, ["kind", "links"])') == "{'kind': 'def', 'links': []}"
        assert a.type("Process.is_alive(there)") == "True"
        shown = a.type("i(there)")
        assert re.search(r"^node +b@vm$", shown, re.MULTILINE)
        assert re.search(r"^alive +True$", shown, re.MULTILINE)
        assert re.search(r"^registered_name +waits$", shown, re.MULTILINE)
        assert a.type('Process.exit(there, "enough")') == "True"
        a.comes_to("Process.info(there)", "")
        known = a.type('Process.info(self(), "colour")')
        assert known.startswith(
            "ValueError: unknown key 'colour'; the known ones are registered_name, initial_"
        )

    @pytest.mark.usefixtures("b")
    def test_info_shows_kind_and_initial_call_of_a_remote_process(self, a: Shell) -> None:
        a.type('naps = Node.spawn("b", "time", "sleep", [3600])')
        a.comes_to('Process.info(naps, "kind")', "('kind', 'def')")
        a.type('naps = Node.spawn("b", "time", "sleep", [3600]); began = Process.info(naps, "initial_call")')
        assert a.type("began") == "('initial_call', ('time', 'sleep', 1))"


class TestMessages:
    def test_selective_receive_leaves_the_rest_in_order(self, a: Shell) -> None:
        a.type("for message in ('x', 1, ('a', 2), True, {'k': 1, 'l': 2}): send(self(), message)\n")
        assert a.type("receive(int), receive(('a', ...)), receive({'k': 1})") == (
            "(1, ('a', 2), {'k': 1, 'l': 2})"
        )
        assert a.type("receive(1, timeout=0)") == "ReceiveTimeout: no matching message within 0 s"
        assert a.type("flush()") == "'x'\nTrue"
        assert a.type("flush()") == ""

    def test_message_is_a_copy_and_an_open_file_is_refused(self, a: Shell) -> None:
        a.type("stock = [{'name': 'nike'}]; send(self(), stock); stock.append('changed')")
        assert a.type("receive(timeout=60)") == "[{'name': 'nike'}]"
        refused = a.type("send(self(), ['ok', {'conn': open('/dev/null')}])")
        assert refused.startswith("EncodeError: cannot send message[1]['conn']: <_io.TextIOWrapper")
        assert refused.endswith("is not data\nhint: send its path, or what was read from it")

    def test_async_def_is_a_process(self, a: Shell) -> None:
        a.type("async def echo(): send((await aio.receive()), ('from', self()))\n")
        a.type("pid_of_echo = spawn(echo)")
        assert a.type("Process.info(pid_of_echo, 'kind')") == "('kind', 'async def')"
        assert (
            a.type("sent = send(pid_of_echo, self()); receive(timeout=60) == ('from', pid_of_echo)") == "True"
        )

    def test_timer_sends_and_can_be_cancelled(self, a: Shell) -> None:
        assert a.type("sent = Process.send_after(self(), 'soon', 0.01); receive(timeout=60)") == "'soon'"
        assert a.type("timer = Process.send_after(self(), 'never', 3600)") == ""
        assert a.type("Process.cancel_timer(timer) > 3000, Process.cancel_timer(timer)") == "(True, False)"

    def test_killed_shell_shows_its_new_pid_and_goes_on(self, a: Shell) -> None:
        a.type("kept, me = 'kept', self()")
        a.type("sent = spawn(lambda: Process.exit(me, 'kill'))")
        a.sees("** the shell process #PID<0.1.0> was killed; its pid is now #PID<0.")
        assert a.type("kept, self() != me") == "('kept', True)"

    def test_crash_of_a_linked_process_is_shown_and_the_shell_keeps_its_pid(self, a: Shell) -> None:
        a.type("me = self()")
        a.type("sent = spawn_link(lambda: 1 / 0)")
        assert a.sees("** (EXIT from #PID<0.").endswith("ZeroDivisionError: division by zero")
        assert a.type("self() == me") == "True"


class TestRpc:
    def test_call_returns_values_and_raises_failures(self, a: Shell, b: Shell) -> None:
        assert a.type('rpc.call("b", "operator", "add", [1, 2])') == "3"
        assert a.type('rpc.call("b", len, [1, 2])') == "2"
        assert a.type('rpc.call("b", "os", "path.join", ["x", "y"])') == "'x/y'"
        assert a.type('rpc.call("b", "os", "getpid")') == str(b.pid)
        assert a.type('rpc.call("b", "operator", "truediv", [1, 0])') == (
            "RemoteError: ZeroDivisionError: division by zero\non b@vm"
        )
        assert a.type('rpc.call("b", "time", "sleep", [3600], timeout=0.1)') == (
            "RpcTimeout: no answer from b@vm within 0.1 s (the call may still run there)"
        )
        assert a.type('rpc.call("b", "builtins", "open", ["/dev/null"])').startswith(
            "RemoteError: EncodeError: cannot send result: <_io.TextIOWrapper"
        )
        assert a.type('rpc.call("b", lambda: 1)') == "1"

    @pytest.mark.usefixtures("b")
    def test_remote_traceback_has_no_frames_of_pyx(self, a: Shell) -> None:
        lines = a.type('rpc.call("b", "json", "loads", ["{"])').split("\n")
        assert lines[0].startswith("RemoteError: json.decoder.JSONDecodeError: Expecting property name")
        assert lines[1:3] == ["on b@vm:", "  Traceback (most recent call last):"]
        assert "json" in lines[3]
        assert not [line for line in lines if "/pyx/" in line]

    def test_multicall_async_call_cast_and_await(self, a: Shell, b: Shell) -> None:
        assert a.type('rpc.multicall(["a", "b"], "Node", "self")') == "(['a@vm', 'b@vm'], [])"
        assert a.type('rpc.multicall(None, "Node", "self")') == "(['a@vm', 'b@vm'], [])"
        assert a.type('rpc.multicall(["absent"], "Node", "self")').endswith("([], ['absent@vm'])")
        assert a.type('rpc.async_call("b", "os", "getpid").result(60)') == str(b.pid)
        assert a.type('rpc.cast("b", "os", "getpid")') == "True"
        assert a.type('await aio.rpc.call("b", "os", "getpid")') == str(b.pid)

    def test_call_to_a_node_with_rpc_off_is_refused(self, a: Shell, host: Host) -> None:
        host.shell("closed", "--rpc", "off")
        assert a.type('rpc.call("closed", "os", "getpid")') == (
            "RpcRefused: closed@vm refuses calls (it runs with --rpc off)\n"
            "hint: start closed@vm with --rpc open, or with --rpc exported to allow marked functions"
        )


class TestPrompt:
    def test_underscore_and_v_return_earlier_values(self, a: Shell) -> None:
        at = int(re.findall(r"\d+", a.prompt)[-1])
        assert a.type("6 * 7") == "42"
        assert a.type("None") == ""
        assert a.type("1 / 0") == "ZeroDivisionError: division by zero"
        assert a.prompt == f"pyx(a@vm){at + 2}> "
        assert a.type("_") == "42"
        assert a.type(f"v({at}), v(-3), v({at + 1})") == "(42, 42, None)"

    def test_assigned_name_hides_a_helper_until_it_is_deleted(self, a: Shell) -> None:
        assert a.type("pid = 5; pid") == "5"
        a.type("del pid")
        assert a.type("pid('0.99.0')") == "#PID<0.99.0>"

    def test_pasted_block_with_blank_lines_is_one_input(self, a: Shell) -> None:
        assert a.type("def twice(x):\n\n    return 2 * x\n\n\nclass Shop:\n\n    open = True\n") == ""
        assert a.type("twice(21), Shop.open") == "(42, True)"

    def test_errors_show_the_users_frames(self, a: Shell) -> None:
        a.type("def outer(): inner()\n\ndef inner(): return 1 / 0\n")
        shown = a.type("outer()")
        assert re.findall(r"in (\S+)\n", shown) == ["<module>", "outer", "inner"]
        assert a.type("1 +").endswith("SyntaxError: invalid syntax")

    def test_long_value_shows_the_number_of_omitted_items(self, a: Shell) -> None:
        assert a.type("list(range(1000))").endswith("... 900 more items]")

    def test_line_longer_than_the_terminal_has_no_continuation_prompt(self, a: Shell) -> None:
        a.press(f"len('{'x' * 200}')\r")
        a.sees("200")
        assert (
            "...(a@vm)" not in a.lines[a.lines.index("200") - 1]
        )  # a continuation prompt would begin a new line
