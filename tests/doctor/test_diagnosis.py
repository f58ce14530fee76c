"""diagnosis.py, finding.py, host_facts.py: Facts of a host become findings, each with what to do."""

from __future__ import annotations

import pytest

from pyx.doctor import diagnosis
from pyx.doctor.finding import Finding
from pyx.doctor.host_facts import (
    ClockFacts,
    CookieFacts,
    EpmdFacts,
    ErlangFacts,
    HistoryFacts,
    HostFacts,
    LimitFacts,
    PathFacts,
    ProjectFacts,
    PythonFacts,
    RunningNode,
    RuntimeFacts,
    TerminalFacts,
)

UID = 7
PYTHON = PythonFacts("3.13.0", "CPython", "0.1.0", 3, has_fast_msgpack=True, has_tls=True)
DIRECTORY = PathFacts("/run/user/7/pyx", "directory", UID, 0o700, is_writable=True)
COOKIE = CookieFacts("/home/gus/.pyx.cookie", "", "read", 48, is_made=True)
EPMD = EpmdFacts(4369, "/usr/bin/epmd")
TERMINAL = TerminalFacts(True, True, "xterm-256color", "utf-8", 80, 24)
HISTORY = PathFacts("/home/gus/.local/state/pyx/history", "file", UID, 0o600, is_writable=True)
MISSING = PathFacts("/home/gus/x", "missing", is_writable=True)


def said(findings: list[Finding], level: str) -> str:
    """The only finding, of that level, as one text."""
    (finding,) = findings
    assert finding.level == level, finding
    return f"{finding.text} | {finding.mend}" if finding.mend else finding.text


def test_line_has_level_check_text_and_what_to_do() -> None:
    assert Finding("cookie", "ok", "all is well").line() == "ok       cookie     all is well"
    assert Finding("cookie", "failed", "it is open", "chmod 400 x").line() == (
        "failed   cookie     it is open (mend: chmod 400 x)"
    )


class TestPython:
    def test_versions_are_named(self) -> None:
        assert said(diagnosis.of_python(PYTHON), "ok") == "pyx 0.1.0 (protocol 3) on CPython 3.13.0"

    def test_missing_parts_say_what_they_cost(self) -> None:
        _, slow, no_tls = diagnosis.of_python(PYTHON._replace(has_fast_msgpack=False, has_tls=False))
        assert (slow.level, no_tls.level) == ("warning", "failed")
        assert "many times more slowly" in slow.text
        assert "--name" in no_tls.text


class TestNames:
    def test_both_kinds_of_names_are_shown(self) -> None:
        facts = HostFacts("vm.lan", "vm.lan", "10.0.0.5", is_own=True)
        short, long = diagnosis.of_host(facts, "vm")
        assert short == Finding("names", "ok", "--sname NAME makes NAME@vm, for nodes of this host")
        assert long.text == "vm.lan is 10.0.0.5: --name NAME@10.0.0.5 can be reached there"

    def test_host_name_that_is_no_part_of_a_name(self) -> None:
        short, _ = diagnosis.of_host(HostFacts("Gus's PC", "Gus's PC", "10.0.0.5", is_own=True), "localhost")
        assert short.level == "warning"
        assert "@localhost" in short.text

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            (HostFacts("vm", "vm", "", is_own=False, problem="Name or service not known"), "has no address"),
            (HostFacts("vm", "vm", "10.9.9.9", is_own=False), "not an address of this host"),
        ],
    )
    def test_name_that_leads_elsewhere_is_a_warning(self, facts: HostFacts, words: str) -> None:
        _, long = diagnosis.of_host(facts, "vm")
        assert long.level == "warning"
        assert words in long.text
        assert "/etc/hosts" in long.mend


class TestDirectory:
    def test_directory_of_this_user_alone_is_well(self) -> None:
        text = said(diagnosis.of_runtime(RuntimeFacts("/run/user", DIRECTORY), UID), "ok")
        assert text == "names and sockets are in /run/user/7/pyx (/run/user), which is this user's alone"

    def test_missing_one_is_made_by_the_first_node(self) -> None:
        text = said(diagnosis.of_runtime(RuntimeFacts("/tmp", MISSING), UID), "ok")
        assert "is made at the first start" in text

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            (
                RuntimeFacts("/tmp", DIRECTORY, "has mode 0755, not 0700", "chmod 700 d"),
                "0755, not 0700 | chmod",
            ),
            (
                RuntimeFacts("/tmp", MISSING._replace(is_writable=False)),
                "cannot be made | set PYX_RUNTIME_DIR",
            ),
            (RuntimeFacts("/tmp", DIRECTORY._replace(is_writable=False)), "takes no files of user 7"),
            (
                RuntimeFacts("/tmp", PathFacts("/tmp/x", "unreadable", problem="Permission denied")),
                "Permission denied | set",
            ),
        ],
    )
    def test_any_other_keeps_nodes_from_starting(self, facts: RuntimeFacts, words: str) -> None:
        text = said(diagnosis.of_runtime(facts, UID), "failed")
        assert text.startswith("no node can start: ")
        assert words in text


class TestCookie:
    def test_made_one_and_a_long_one_are_well(self) -> None:
        assert "256 random bits" in said(diagnosis.of_cookie(COOKIE), "ok")
        assert "30 characters" in said(diagnosis.of_cookie(COOKIE._replace(is_made=False, length=30)), "ok")

    def test_short_one_can_be_guessed(self) -> None:
        text = said(diagnosis.of_cookie(COOKIE._replace(is_made=False, length=6)), "warning")
        assert "is 6: one under 20 can be guessed | remove the file" in text

    def test_refused_one_says_why_and_what_to_type(self) -> None:
        facts = COOKIE._replace(state="refused", problem="is open to others (mode 0644)", hint="chmod 400 c")
        text = said(diagnosis.of_cookie(facts), "failed")
        assert text == (
            "no node can start: /home/gus/.pyx.cookie is open to others (mode 0644) | chmod 400 c"
        )

    def test_missing_one_is_made_where_it_can_be(self) -> None:
        facts = COOKIE._replace(state="missing")
        assert "is made at the first start" in said(diagnosis.of_cookie(facts), "ok")
        text = said(diagnosis.of_cookie(facts._replace(directory_is_writable=False)), "failed")
        assert "cannot be made | name a file" in text
        text = said(diagnosis.of_cookie(facts._replace(chosen_by="$PYX_COOKIE_FILE")), "failed")
        assert "there is no /home/gus/.pyx.cookie ($PYX_COOKIE_FILE)" in text

    def test_pipe_is_left_unread(self) -> None:
        assert "is a pipe" in said(diagnosis.of_cookie(COOKIE._replace(state="pipe")), "ok")


class TestBeam:
    def test_cookie_of_erlang_nodes(self) -> None:
        cookie = CookieFacts("/home/gus/.erlang.cookie", "", "read", 20)
        text = said(diagnosis.of_erlang(ErlangFacts(cookie, (), "/usr/bin/erl")), "ok")
        assert text == "/home/gus/.erlang.cookie can be used; erl is /usr/bin/erl"
        missing = cookie._replace(state="missing")
        text = said(diagnosis.of_erlang(ErlangFacts(missing, (), None)), "ok")
        assert text.endswith("is made when --beam is used first; Erlang is not installed here")

    def test_refused_or_weak_one(self) -> None:
        cookie = CookieFacts("/c", "", "refused", problem="belongs to user 8", hint="sudo chown 7 /c")
        text = said(diagnosis.of_erlang(ErlangFacts(cookie, (), None)), "failed")
        assert text == "--beam would fail: /c belongs to user 8 | sudo chown 7 /c"
        gone = cookie._replace(state="missing", directory_is_writable=False)
        assert "cannot be made" in said(diagnosis.of_erlang(ErlangFacts(gone, (), None)), "failed")
        weak = diagnosis.of_erlang(ErlangFacts(cookie._replace(state="read"), ("one", "two"), None))
        assert [finding.text for finding in weak] == ["one", "two"]
        assert {finding.level for finding in weak} == {"warning"}


class TestEpmd:
    def test_none_is_no_trouble(self) -> None:
        text = said(diagnosis.of_epmd(EPMD), "ok")
        assert text == "none runs at 127.0.0.1 port 4369; --name and --beam start one: /usr/bin/epmd"
        assert "pyx's own" in said(diagnosis.of_epmd(EPMD._replace(installed=None)), "ok")

    def test_names_it_knows_are_listed(self) -> None:
        facts = EPMD._replace(answers=True, names=(("gus", 4001, False), ("a", 4002, True)))
        text = said(diagnosis.of_epmd(facts), "ok")
        assert text.endswith("knows gus at 4001, a at 4002 (Erlang)")

    def test_another_listener_is_in_the_way(self) -> None:
        facts = EPMD._replace(problem="127.0.0.1 port 4369 does not answer like EPMD: no answer")
        assert "--name and --beam would fail: 127.0.0.1" in said(diagnosis.of_epmd(facts), "failed")

    def test_one_that_other_hosts_cannot_ask(self) -> None:
        _, outside = diagnosis.of_epmd(EPMD._replace(answers=True, outside="10.0.0.5"))
        assert outside.level == "warning"
        assert "not at 10.0.0.5" in outside.text

    def test_two_of_them_on_one_host(self) -> None:
        facts = EPMD._replace(answers=True, outside="10.0.0.5", outside_names=("a",))
        _, other = diagnosis.of_epmd(facts)
        assert other.level == "warning"
        assert "another EPMD answers at 10.0.0.5: it knows a" in other.text
        away = said(diagnosis.of_epmd(facts._replace(answers=False)), "warning")
        assert "none at 127.0.0.1" in away

    def test_one_that_answers_at_both_addresses_is_well(self) -> None:
        facts = EPMD._replace(
            answers=True, names=(("a", 4002, True),), outside="10.0.0.5", outside_names=("a",)
        )
        assert "knows a at 4002" in said(diagnosis.of_epmd(facts), "ok")


class TestNodes:
    def test_same_protocol_is_well(self) -> None:
        assert "no node of this user" in said(diagnosis.of_nodes([], 3), "ok")
        node = RunningNode("gus@vm", 12, 2, 3, 1.0)
        assert said(diagnosis.of_nodes([node], 3), "ok") == "gus@vm (pid 12) speaks protocol 2 to 3"

    def test_others_are_warnings(self) -> None:
        old = said(diagnosis.of_nodes([RunningNode("gus@vm", 12, 2, 2, 1.0)], 3), "warning")
        assert "and this pyx 3: they do not connect | run the same release" in old
        silent = said(
            diagnosis.of_nodes([RunningNode("gus@vm", 12, problem="it does not answer within 2 s")], 3),
            "warning",
        )
        assert "`ps -o stat,time 12`" in silent
        refused = RunningNode("gus@vm", 12, problem="it speaks pyx protocol 2, this node 3")
        assert "same release" in said(diagnosis.of_nodes([refused], 3), "warning")
        slow = said(diagnosis.of_nodes([RunningNode("gus@vm", 12, 3, 3, 900.0)], 3), "warning")
        assert "took 900 ms" in slow


class TestSurroundings:
    def test_clock(self) -> None:
        assert "no step" in said(diagnosis.of_clock(ClockFacts(2030, 0.2, 0.001)), "ok")
        assert "was set by -3.0 s" in said(diagnosis.of_clock(ClockFacts(2030, 0.2, -3.0)), "warning")
        assert "the year 1970" in said(diagnosis.of_clock(ClockFacts(1970, 0.2, 0.0)), "warning")

    def test_terminal(self) -> None:
        assert said(diagnosis.of_terminal(TERMINAL), "ok") == "xterm-256color, utf-8, 80 columns, 24 lines"
        assert "stdin is not a" in said(diagnosis.of_terminal(TERMINAL._replace(stdin=False)), "ok")
        assert "stdout is not a terminal" in said(
            diagnosis.of_terminal(TERMINAL._replace(stdout=False)), "ok"
        )
        bad = diagnosis.of_terminal(TERMINAL._replace(term=None, encoding="ascii", columns=20))
        assert [finding.level for finding in bad] == ["warning"] * 3
        assert [finding.mend for finding in bad][:2] == [
            "export TERM=xterm-256color",
            "export LC_ALL=C.UTF-8, or PYTHONUTF8=1",
        ]

    def test_descriptors(self) -> None:
        assert "1024 descriptors" in said(diagnosis.of_limits(LimitFacts(1024, 4096)), "ok")
        assert "any number of" in said(diagnosis.of_limits(LimitFacts(None, None)), "ok")
        assert "ulimit -n 1000" in said(diagnosis.of_limits(LimitFacts(64, 1000)), "warning")
        assert "hard limit" in said(diagnosis.of_limits(LimitFacts(64, 100)), "warning")

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (None, "no home directory"),
            (MISSING._replace(is_writable=False), "cannot be made"),
            (HISTORY._replace(owner=8), "belongs to user 8"),
            (HISTORY._replace(is_writable=False), "cannot be written"),
            (HISTORY._replace(kind="directory"), "is a directory"),
            (HISTORY._replace(kind="unreadable", problem="Permission denied"), "Permission denied"),
            (HISTORY._replace(mode=0o644), "others can read"),
        ],
    )
    def test_history_that_is_not_kept_or_not_private(self, status: PathFacts | None, words: str) -> None:
        assert words in said(diagnosis.of_history(HistoryFacts(status, ""), UID), "warning")

    def test_history_that_is_kept(self) -> None:
        for status in (HISTORY, MISSING, HISTORY._replace(kind="link", owner=0, mode=0o777)):
            assert "is kept in" in said(diagnosis.of_history(HistoryFacts(status, ""), UID), "ok")

    def test_project(self) -> None:
        facts = ProjectFacts("shop", ("application", "theme"))
        assert said(diagnosis.of_project(facts), "ok") == "[tool.pyx] of shop sets application, theme"
        assert said(diagnosis.of_project(ProjectFacts(".")), "ok") == "this directory sets nothing"
        wrong = facts._replace(warnings=("p: [tool.pyx] has no entry 'them': did you mean 'theme'?",))
        assert "has no entry 'them'" in said(diagnosis.of_project(wrong), "warning")
        refused, _ = diagnosis.of_project(
            facts._replace(refused=((".pyx.py", "it is open", "chmod go-w .pyx.py"),))
        )
        assert refused.line() == (
            "warning  project    .pyx.py does not run before the prompt: it is open "
            "(mend: chmod go-w .pyx.py)"
        )
        broken = said(diagnosis.of_project(facts._replace(problem="p is not TOML", hint="mend it")), "failed")
        assert broken == "pyx does not start here: p is not TOML | mend it"
