"""`headrace demo` from the outside: complete, repeatable, and gone without a trace when it is stopped."""

from __future__ import annotations

import re
import shlex
import signal

from tests.cli.command_directory import TIMEOUT_S, CommandDirectory

ROWS = 20_000


def test_demo_counts_every_flight_and_a_second_run_reuses_it(commands: CommandDirectory) -> None:
    """The result equals the batch computation; what it prints as next commands works as printed."""
    first = commands.run("demo", "--rows", str(ROWS))
    assert first.returncode == 0, first.stderr
    assert f"{ROWS:,} flights counted in " in first.stderr
    assert re.search(r"complete: all \S+ windows equal a batch computation", first.stderr)
    assert "'flights' are 0 behind its end" in first.stderr
    assert len(first.stdout.splitlines()) == 10
    assert [path.name for path in commands.directory.iterdir()] == [".headrace"]
    assert [path.name for path in (commands.directory / ".headrace").iterdir()] == ["demo"]

    second = commands.run("demo", "--rows", str(ROWS))
    assert second.returncode == 0, second.stderr
    assert "going on with the data in .headrace/demo" in second.stderr
    assert "all of them by earlier runs" in second.stderr
    assert second.stdout == first.stdout

    lines = first.stderr.split("Next:\n")[1].splitlines()
    assert len(lines) == 3
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "headrace"
        done = commands.run(*words[1:])
        assert done.returncode == 0, f"{line}: {done.stderr}"
        assert done.stdout, line


def test_demo_with_two_workers_is_complete_too(commands: CommandDirectory) -> None:
    """The tasks are shared, joined and left while it runs; still every flight is counted once."""
    done = commands.run("demo", "--rows", str(ROWS), "--workers", "2", "--partitions", "3")
    assert done.returncode == 0, done.stderr
    assert "complete: all" in done.stderr


def test_demo_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(commands: CommandDirectory) -> None:
    """130, a word about what is kept, no process left; the continued run is complete."""
    process = commands.start("demo", "--rows", "200000")
    log = commands.directory / ".headrace" / "demo" / "worker.log"
    commands.wait_until(lambda: log.exists() and "running 0_0" in log.read_text(), "the worker does not run")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, err
    kept = re.search(r"kept in .headrace/demo: ([\d,]+) of 200,000 flights loaded, ([\d,]+) counted", err)
    assert kept, err
    assert commands.processes() == []
    assert not (commands.directory / ".headrace" / "demo" / "broker.json").exists()
    resumed = commands.run("demo", "--rows", "200000")
    assert resumed.returncode == 0, resumed.stderr
    assert "200,000 flights counted in " in resumed.stderr
    assert "complete: all " in resumed.stderr


def test_demo_killed_leaves_no_process_behind(commands: CommandDirectory) -> None:
    """kill -9 of the command: broker and worker notice and end by themselves."""
    process = commands.start("demo")
    log = commands.directory / ".headrace" / "demo" / "worker.log"
    commands.wait_until(lambda: log.exists() and "running 0_0" in log.read_text(), "the worker does not run")
    assert len(commands.processes()) >= 3
    process.kill()
    process.communicate(timeout=TIMEOUT_S)
    commands.wait_until(lambda: commands.processes() == [], "processes are left over")


def test_demo_serve_keeps_broker_and_worker_until_ctrl_c(commands: CommandDirectory) -> None:
    """The same commands then use the running ones."""
    process = commands.start("demo", "--rows", "2000", "--serve")
    assert process.stderr is not None
    for line in process.stderr:
        if "serving until Ctrl-C" in line:
            break
    announced = (commands.directory / ".headrace" / "demo" / "broker.json").read_text()
    done = commands.run("topics", "list", "--dir", ".headrace/demo")
    assert "flights\t4\t2000" in done.stdout
    question = ("query", "delays-by-state", "CA", "--dir", ".headrace/demo")
    commands.wait_until(lambda: commands.run(*question).returncode == 0, "no answer, though commits come every second")
    assert '"flights":' in commands.run(*question).stdout
    assert (commands.directory / ".headrace" / "demo" / "broker.json").read_text() == announced
    again = commands.run("demo")
    assert again.returncode == 1
    assert "a demo is running in .headrace/demo already" in again.stderr
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130


def test_demo_other_options_on_the_same_directory_are_refused(commands: CommandDirectory) -> None:
    """Fewer flights than are loaded, or other partitions: --fresh is named; nothing is changed."""
    assert commands.run("demo", "--rows", "2000").returncode == 0
    fewer = commands.run("demo", "--rows", "1000")
    assert fewer.returncode == 1
    assert "holds 2,000 flights, more than the 1,000 asked for" in fewer.stderr
    other = commands.run("demo", "--rows", "2000", "--partitions", "2")
    assert other.returncode == 1
    assert "--fresh" in other.stderr
    assert commands.run("demo", "--rows", "500", "--partitions", "2", "--fresh").returncode == 0
