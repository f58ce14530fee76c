"""Nodes of one host: the mesh, names and cookies, hidden and unnamed nodes, services, embedded nodes."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.stories.host import PYX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.host import Host
    from tests.stories.terminal import Shell


class TestMesh:
    def test_connecting_to_one_node_joins_the_mesh_and_a_dead_node_leaves_it(self, lone_host: Host) -> None:
        a, b, c, d = (lone_host.shell(name) for name in "abcd")
        assert b.type('Node.connect("a@vm")') == "True"
        assert c.type('Node.ping("b@vm")') == "'pong'"
        assert d.type('send(("absent", "c@vm"), "any first message connects")').startswith("'any")
        for shell, others in ((a, "bcd"), (b, "acd"), (c, "abd"), (d, "abc")):
            shell.comes_to("Node.list()", str([f"{name}@vm" for name in others]))
        c.kill()
        for shell, others in ((a, "bd"), (b, "ad"), (d, "ab")):
            shell.comes_to("Node.list()", str([f"{name}@vm" for name in others]))
        assert a.type('Node.ping("c@vm")').endswith("'pang'")

        # The name is free at once, for a new incarnation; a connection to one member joins the mesh.
        again = lone_host.shell("c")
        assert again.type("Node.list()") == "[]"
        assert again.type('Node.ping("d@vm")') == "'pong'"
        again.comes_to("Node.list()", "['a@vm', 'b@vm', 'd@vm']")
        a.comes_to("Node.list()", "['b@vm', 'c@vm', 'd@vm']")

    def test_disconnect_ends_one_connection_only(self, lone_host: Host) -> None:
        a, b, c = (lone_host.shell(name) for name in "abc")
        a.type('Node.connect("b@vm")')
        c.type('Node.connect("a@vm")')
        b.comes_to("Node.list()", "['a@vm', 'c@vm']")
        assert a.type('Node.disconnect("b@vm")') == "True"
        assert a.type('Node.disconnect("b@vm")') == "False"
        assert a.type("Node.list()") == "['c@vm']"
        b.comes_to("Node.list()", "['c@vm']")
        c.comes_to("Node.list()", "['a@vm', 'b@vm']")

    def test_hidden_node_is_not_announced_and_learns_of_no_other_node(self, lone_host: Host) -> None:
        a, b, hidden = lone_host.shell("a"), lone_host.shell("b"), lone_host.shell("shy", "--hidden")
        a.type('Node.connect("b@vm")')
        assert hidden.type('Node.connect("a@vm")') == "True"
        assert hidden.type("Node.list()") == "[]"
        assert hidden.type('Node.list("hidden")') == "['a@vm']"
        a.comes_to('Node.list("hidden")', "['shy@vm']")
        assert a.type("Node.list()") == "['b@vm']"
        assert a.type('Node.list("connected")') == "['b@vm', 'shy@vm']"
        assert a.type('Node.list("this", "hidden")') == "['a@vm', 'shy@vm']"
        assert a.type('Node.list("known")') == "['a@vm', 'b@vm', 'shy@vm']"
        assert a.type('Node.list("bogus")').startswith("ValueError: 'bogus' is not a kind of node: this, ")
        b.comes_to('Node.list("known")', "['a@vm', 'b@vm']")
        assert hidden.type('rpc.call("b@vm", "Node", "self")') == "'b@vm'"

    def test_calls_to_a_node_that_does_not_run(self, host: Host) -> None:
        shell = host.shell("asks")
        why = "[warning] cannot connect to absent@vm: no node of that name runs on this host"
        assert shell.type('Node.ping("absent@vm")') == f"{why}\n'pang'"
        assert shell.type('Node.connect("absent")').endswith("\nFalse")
        failed = "RpcNoConnection: no connection to absent@vm: no node of that name runs on this host"
        assert shell.type('rpc.call("absent", "os", "getpid")').endswith(failed)
        # The failed dial may be logged before or after it, or, during the back-off, not at all.
        assert "'into the void'" in shell.type('send(("x", "absent"), "into the void")').splitlines()
        assert shell.type('Node.ping("a b")').startswith("NodeNameInvalid: 'a b' is not a node name: ")
        shell.close()


class TestNames:
    def test_name_in_use_is_refused_with_the_pid_of_its_owner(self, host: Host) -> None:
        holder = host.shell("taken")
        second = host.starts("--sname", "taken@vm")
        assert second.leaves() == 3
        assert second.screen == f"pyx: the name taken@vm is in use by another node (pid {holder.pid})"

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("", "it is empty"),
            ("a b", "the part before @ may hold a-z, A-Z, 0-9, _ and - only"),
            ("a.b", "the part before @ may hold a-z, A-Z, 0-9, _ and - only"),
            ("a/b", "the part before @ may hold a-z, A-Z, 0-9, _ and - only"),
            ("café", "the part before @ may hold a-z, A-Z, 0-9, _ and - only"),
            ("@vm", "the part before @ is empty"),
            ("gus@", "the host after @ is empty"),
            ("a@b@c", "it holds more than one @"),
            ("gus@vm.example", "a host with a dot, or an address, is part of a long name (--name)"),
            ("gus@fd00::5", "a host with a dot, or an address, is part of a long name (--name)"),
        ],
    )
    def test_invalid_name_is_refused_in_one_line_with_the_reason(
        self, name: str, problem: str, host: Host
    ) -> None:
        done = host.run("--sname", name)
        assert done.returncode == 2
        assert (done.stdout, done.stderr) == ("", f"pyx: {name!r} is not a node name: {problem}\n")

    def test_name_of_a_dead_node_is_free_at_once(self, host: Host) -> None:
        first = host.shell("phoenix")
        first.kill()
        assert first.leaves() == 128 + signal.SIGKILL
        assert list(host.names.glob("phoenix@vm.lock"))  # its lock file is left, and is not locked
        assert host.shell("phoenix").type("Node.self()") == "'phoenix@vm'"

    def test_node_that_leaves_removes_its_lock_and_socket(self, lone_host: Host) -> None:
        shell = lone_host.shell("gone")
        shell.press("\x04")
        assert shell.leaves() == 0
        assert list(lone_host.names.iterdir()) == []


class TestCookies:
    def test_wrong_cookie_is_reported_at_the_dialling_node(self, lone_host: Host) -> None:
        right = lone_host.shell("right")
        lone_host.cookie_file("other", "not the cookie")
        wrong = lone_host.shell("wrong", "--cookie-file", "other")
        shown = wrong.type('Node.connect("right@vm")')
        assert shown.startswith(
            "[warning] cannot connect to right@vm: the cookie of right@vm differs from ours"
        )
        assert shown.endswith("\nFalse")
        assert wrong.type('Node.ping("right@vm")').endswith("\n'pang'")
        assert "the cookie of right@vm differs" in wrong.type('rpc.call("right@vm", "os", "getpid")')
        assert wrong.type("Node.list()") == "[]"
        right.sees("[warning] refused a connection: the cookie of wrong@vm differs from ours")
        right.comes_to("Node.list()", "[]")

        secret = (lone_host.home / ".pyx.cookie").read_text().strip()
        assert wrong.type(f'Node.set_cookie("right@vm", "{secret}")') == "True"
        wrong.comes_to('Node.ping("right@vm")', "'pong'")

    def test_cookie_is_created_readable_for_its_owner_alone_and_shown_as_a_fingerprint(
        self, lone_host: Host
    ) -> None:
        shell = lone_host.shell("first")
        file = lone_host.home / ".pyx.cookie"
        assert stat.S_IMODE(file.stat().st_mode) == 0o400
        shown = shell.type("Node.get_cookie()")
        assert shown.startswith("Cookie(sha256 ")
        assert file.read_text().strip() not in shown

    def test_cookie_on_the_command_line_works_and_is_warned_about(self, host: Host) -> None:
        done = host.run("--sname", "shouts@vm", "--cookie", "gt", "-e", "print(Node.self())")
        assert (done.returncode, done.stdout) == (0, "shouts@vm\n")
        assert "ps" in done.stderr

    def test_cookie_file_that_others_can_read_is_refused(self, lone_host: Host) -> None:
        file = lone_host.home / ".pyx.cookie"
        file.write_text("seen by all")
        file.chmod(0o644)
        done = lone_host.run("--sname", "careless@vm", "-e", "1")
        assert done.returncode == 2
        assert done.stderr == (
            f"pyx: the cookie file {file} is open to others (mode 0644)\nhint: chmod 400 {file}\n"
        )

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_cookie_file_of_another_user_is_refused(self, lone_host: Host) -> None:
        file = lone_host.home / ".pyx.cookie"
        file.write_text("a gift")
        file.chmod(0o400)
        os.chown(file, 12345, -1)
        done = lone_host.run("--sname", "careless@vm", "-e", "1")
        assert done.returncode == 2
        assert f"the cookie file {file} belongs to user 12345, not to this user (0)" in done.stderr
        assert f"hint: sudo chown 0 {file}" in done.stderr


class TestDirectoryOfNames:
    def test_directory_that_others_can_write_is_refused_with_a_hint(self, lone_host: Host) -> None:
        lone_host.names.mkdir()
        lone_host.names.chmod(0o777)
        done = lone_host.run("--sname", "a@vm", "-e", "1")
        assert done.returncode == 2
        assert done.stderr == (
            f"pyx: {lone_host.names} has mode 0777, not 0700\nhint: chmod 700 {lone_host.names}\n"
        )

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    def test_directory_of_another_user_is_refused_with_its_owner(self, lone_host: Host) -> None:
        lone_host.names.mkdir(0o700)
        os.chown(lone_host.names, 12345, -1)
        done = lone_host.run("--sname", "a@vm", "-e", "1")
        assert done.returncode == 2
        assert done.stderr.startswith(
            f"pyx: {lone_host.names} belongs to user 12345, not to this user (0)\nhint: "
        )

    def test_removed_directory_is_created_again_by_running_nodes(self, lone_host: Host) -> None:
        """A session manager removes it at the last logout of a user, whose nodes may run on in tmux."""
        a = lone_host.shell("a")
        lone_host.names.rename(lone_host.home / "gone")  # all at once: the node looks by itself, too
        if sys.platform == "linux":
            assert lone_host.run("--sname", "a@vm", "-e", "print('a second one')").returncode == 3
        a.sees(f"[warning] the lock and socket of a@vm were missing in {lone_host.names}: restored")
        assert lone_host.run("--sname", "b@vm", "-e", "print(Node.ping('a@vm'))").stdout == "pong\n"
        assert lone_host.run("--sname", "a@vm", "-e", "print('a second one')").returncode == 3
        assert a.type("Node.self()") == "'a@vm'"

    def test_directory_that_is_a_symbolic_link_is_refused(self, lone_host: Host) -> None:
        lone_host.names.symlink_to(lone_host.home)
        done = lone_host.run("--sname", "a@vm", "-e", "1")
        assert done.returncode == 2
        assert done.stderr.startswith(f"pyx: {lone_host.names} is a symbolic link\nhint: rm ")


class TestUnnamed:
    @pytest.fixture
    def unnamed(self, host: Host) -> Iterator[Shell]:
        shell = host.shell()
        yield shell
        shell.close()

    def test_unnamed_node_connects_to_no_node(self, unnamed: Shell) -> None:
        assert unnamed.prompt == "pyx(1)> "
        assert unnamed.type('Node.connect("other")') == "'ignored'"
        assert unnamed.type('Node.ping("other")') == "'pang'"
        assert unnamed.type('Node.disconnect("other")') == "'ignored'"
        assert unnamed.type("Node.is_alive(), Node.list()") == "(False, [])"
        assert unnamed.type("Node.get_cookie()") == ""
        assert unnamed.type("send(self(), 'hi'), flush()") == "'hi'\n('hi', None)"

    def test_node_start_and_stop_change_the_prompt_and_keep_the_pid(self, host: Host, unnamed: Shell) -> None:
        host.shell("friend")
        unnamed.type("me = self()")
        assert unnamed.type('Node.start("late@vm")') == "'late@vm'"
        assert unnamed.prompt == "pyx(late@vm)3> "
        assert unnamed.type('Node.ping("friend")') == "'pong'"
        assert unnamed.type('Node.start("other")').startswith(
            "AlreadyStarted: this process is already the node late@vm\nhint: "
        )
        assert unnamed.type("send(me, me) == self()") == "True"
        assert unnamed.type("Node.stop()") == "True"
        assert unnamed.prompt == "pyx(6)> "
        assert unnamed.type("Node.stop()") == "False"
        assert unnamed.type("receive(timeout=0) == me == self()") == "True"


class TestServices:
    def test_service_without_a_prompt_runs_until_sigterm(self, host: Host) -> None:
        program = host.home / "app.py"
        program.write_text(
            textwrap.dedent(
                """
                import os
                from pyx import Process, receive, send, spawn

                def echo():
                    while True:
                        frm, text = receive((..., str))
                        send(frm, (text, os.getpid()))

                Process.register(spawn(echo), "echo")
                print("ready")
                """
            )
        )
        service = host.starts("--sname", "billing@vm", "--no-halt", "app.py")
        service.sees("ready")
        client = host.shell("client")
        client.type('send(("echo", "billing"), (self(), "hello"))')
        assert client.type("receive(timeout=60)") == f"('hello', {service.pid})"
        service.blocks()
        service.kill(signal.SIGTERM)
        assert service.leaves() == 143
        assert service.screen == "ready"
        client.comes_to('"billing@vm" in Node.list()', "False")
        client.close()

    def test_ctrl_c_ends_a_service_with_exit_code_130(self, host: Host) -> None:
        service = host.starts("--sname", "batch@vm", "--no-halt", "-e", "print('ready')")
        service.sees("ready")
        service.blocks()
        service.press("\x03")
        assert service.leaves() == 130

    def test_service_under_nohup_ignores_sighup(self, host: Host) -> None:
        service = host.starts_command(
            ["sh", "-c", f"trap '' HUP; exec {PYX} --no-halt -e \"print('ready')\""]
        )
        service.sees("ready")
        service.blocks()
        service.kill(signal.SIGHUP)
        service.kill(signal.SIGTERM)
        assert service.leaves() == 143

    def test_sigterm_ends_a_shell_with_143_and_frees_its_name(self, host: Host) -> None:
        at_prompt, blocked = host.shell("ends1"), host.shell("ends2")
        blocked.enter("print('run' 'ning'); receive()")
        blocked.sees("running")
        blocked.blocks()
        for shell in (at_prompt, blocked):
            shell.kill(signal.SIGTERM)
            assert shell.leaves() == 143
        assert not list(host.names.glob("ends*"))


class TestPrograms:
    """Python programs that are nodes by `Node.start`."""

    PROGRAM = textwrap.dedent(
        """
        import os, sys
        from pyx import Node, Process, receive, self, send, spawn

        def answers():
            while True:
                match receive():
                    case ("who", frm):
                        send(frm, (Node.self(), os.getpid()))
                    case ("fork", frm):
                        child = os.fork()
                        if child == 0:
                            # A forked child is not a node, and does not give up the name of its parent.
                            os._exit(0 if not Node.is_alive() and Node.list() == [] else 1)
                        send(frm, ("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))

        print(Node.start("billing@vm"), flush=True)
        Process.register(spawn(answers), "answers")
        sys.stdin.read()
        """
    )

    @pytest.fixture
    def program(self, lone_host: Host) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-c", self.PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=lone_host.environment(),
            cwd=lone_host.home,
        ) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "billing@vm\n"
            yield program
            program.kill()

    def test_embedded_node_answers_a_shell(self, lone_host: Host, program: subprocess.Popen[str]) -> None:
        shell = lone_host.shell("shell")
        shell.type('send(("answers", "billing"), ("who", self()))')
        assert shell.type("receive(timeout=60)") == f"('billing@vm', {program.pid})"
        assert shell.type('rpc.call("billing", "Node", "list")') == "['shell@vm']"
        assert program.stdin is not None
        program.stdin.close()
        assert program.wait(timeout=60) == 0  # threads of processes do not keep a program alive
        shell.comes_to("Node.list()", "[]")

    @pytest.mark.usefixtures("program")
    def test_forked_child_is_not_a_node(self, lone_host: Host) -> None:
        shell = lone_host.shell("shell")
        shell.type('send(("answers", "billing"), ("fork", self()))')
        assert shell.type("receive(timeout=60)") == "('child', 0)"
        assert shell.type('Node.ping("billing")') == "'pong'"
        assert lone_host.run("--sname", "billing@vm", "-e", "1").returncode == 3
