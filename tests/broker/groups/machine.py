"""Runs a group by itself, from golden scripts or from a property test: no socket, no event loop, a clock by hand.

A script is blocks of commands, `---`, and what they make happen, parted by blank lines:

```
join a                      a JoinGroup of member a; the first time without an id (it is given the id "a")
---
a: joined gen=1 leader=a protocol=range members=a
group: CompletingRebalance
```

Commands: `settings KEY=VALUE…` · `join NAME [instance=I] [session=MS] [rebalance=MS] [protocols=N:META,…] [version=N]
[type=T]` · `sync NAME [gen=N] [assign=NAME:BYTES,…] [instance=I]` ·
`beat NAME [gen=N] [instance=I]` · `leave NAME [instance=I]` · `remove instance=I` (as an administrator) ·
`commit NAME [gen=N]` · `advance MS` · `restart` (through the persisted record) · `show`.
Without `gen`, a member uses the generation it was last told.
"""

from __future__ import annotations

from dataclasses import replace

from broker.groups import expiry, heartbeat, leave, persisted
from broker.groups.effects import Cancel, Effect, JoinAnswer, Persist, Schedule, SyncAnswer
from broker.groups.group import Group
from broker.groups.join import join
from broker.groups.member import Protocol
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult
from broker.groups.settings import GroupSettings
from broker.groups.sync import sync
from broker.groups.timer import Timer
from broker.offsets.group_metadata import GroupMetadata, decode_group_metadata
from broker.timers.heap import TimerHeap

START_MS = 1_000_000


class GroupMachine:
    """One group, its timers, and the members' side of the conversation; `events` is what has happened."""

    def __init__(self, settings: GroupSettings | None = None) -> None:
        self.settings = settings or GroupSettings(initial_rebalance_delay_ms=0)
        self.now_ms = START_MS
        self.group = Group(group_id="g", state_since_ms=START_MS)
        self.timers: TimerHeap[Timer] = TimerHeap()
        self.record: GroupMetadata | None = None
        self.tickets: dict[int, str] = {}
        self.next_ticket = 1
        self.ids: dict[str, str] = {}
        self.generations: dict[str, int] = {}
        self.events: list[str] = []
        self.results: list[tuple[str, JoinResult | SyncResult]] = []

    # -- effects -----------------------------------------------------------------------------------------------------
    def apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Schedule(timer, at_ms):
                    assert at_ms > self.now_ms, f"{timer} set into the past"
                    self.timers.schedule(timer, at_ms)
                case Cancel(timer):
                    self.timers.cancel(timer)
                case Persist():
                    self.record = persisted.to_metadata(self.group)
                    self.events.append("persist")
                case JoinAnswer(ticket, result):
                    self.joined(self.tickets.pop(ticket), result)
                case SyncAnswer(ticket, result):
                    name = self.tickets.pop(ticket)
                    self.results.append((name, result))
                    outcome = repr(result.assignment.decode()) if result.error == 0 else result.error.name
                    self.events.append(f"{name}: synced {outcome}")

    def joined(self, name: str, result: JoinResult) -> None:
        self.results.append((name, result))
        if result.member_id:
            self.ids[name] = result.member_id
        if result.error != 0:
            self.events.append(f"{name}: join refused {result.error.name}")
            return
        self.generations[name] = result.generation
        members = ",".join(f"{m.member_id}={m.metadata.decode()}" for m in result.members)
        self.events.append(
            f"{name}: joined gen={result.generation} leader={result.leader} protocol={result.protocol_name}"
            + (f" members={members}" if members else "")
            + (" skip-assignment" if result.skip_assignment else "")
        )

    def ticket(self, name: str) -> int:
        ticket, self.next_ticket = self.next_ticket, self.next_ticket + 1
        self.tickets[ticket] = name
        return ticket

    # -- commands ----------------------------------------------------------------------------------------------------
    def join(
        self,
        name: str,
        *,
        instance: str | None = None,
        session: int = 10_000,
        rebalance: int = 60_000,
        protocols: str = "range:",
        version: int = 3,
        type: str = "consumer",
    ) -> None:
        request = JoinRequest(
            group_id="g",
            member_id=self.ids.get(name, ""),
            new_member_id=name,
            instance_id=instance,
            client_id="client",
            client_host="/127.0.0.1",
            session_timeout_ms=session,
            rebalance_timeout_ms=rebalance,
            protocol_type=type,
            protocols=tuple(
                Protocol(*(part.split(":")[0], part.split(":")[1].encode())) for part in protocols.split(",")
            ),
            requires_known_id=version >= 4,
            can_skip_assignment=version >= 9,
        )
        self.apply(join(self.group, self.settings, request, self.ticket(name), self.now_ms))

    def sync(self, name: str, *, gen: int | None = None, assign: str = "", instance: str | None = None) -> None:
        request = SyncRequest(
            group_id="g",
            member_id=self.ids.get(name, name),
            instance_id=instance,
            generation=self.generations.get(name, -1) if gen is None else gen,
            protocol_type=None,
            protocol_name=None,
            assignments={self.ids.get(who, who): what.encode() for who, what in split_pairs(assign)},
        )
        self.apply(sync(self.group, request, self.ticket(name), self.now_ms))

    def beat(self, name: str, *, gen: int | None = None, instance: str | None = None) -> str:
        who = MemberIdentity(self.ids.get(name, name), instance)
        generation = self.generations.get(name, -1) if gen is None else gen
        error = heartbeat.heartbeat(self.group, who, generation, self.now_ms)
        self.events.append(f"{name}: beat {error.name}")
        return error.name

    def commit(self, name: str, *, gen: int | None = None, instance: str | None = None) -> str:
        who = MemberIdentity("" if name == "-" else self.ids.get(name, name), instance)
        generation = self.generations.get(name, -1) if gen is None else gen
        error = heartbeat.check_commit(self.group, who, generation, self.now_ms)
        self.events.append(f"{name}: commit {error.name}")
        return error.name

    def leave(self, name: str, *, instance: str | None = None) -> None:
        who = MemberIdentity(self.ids.get(name, name) if name else "", instance)
        error, effects = leave.leave(self.group, self.settings, who, self.now_ms)
        self.events.append(f"{name or instance}: leave {error.name}")
        self.apply(effects)

    def advance(self, ms: int) -> None:
        """Moves the clock, stopping at every timer on the way."""
        end_ms = self.now_ms + ms
        while (at_ms := self.timers.next_ms()) is not None and at_ms <= end_ms:
            self.now_ms = max(self.now_ms, at_ms)
            for timer in self.timers.due(self.now_ms):
                self.apply(expiry.timer_fired(self.group, self.settings, timer, self.now_ms))
        self.now_ms = end_ms

    def restart(self) -> None:
        """The broker is killed and started: what was not persisted is gone, and so are all waiting requests."""
        self.timers = TimerHeap()
        self.tickets.clear()
        if self.record is None:
            self.group = Group(group_id="g", state_since_ms=self.now_ms)
            return
        metadata = decode_group_metadata(self.record.encode())
        self.group, effects = persisted.from_metadata("g", metadata, self.now_ms)
        self.apply(effects)

    # -- scripts -----------------------------------------------------------------------------------------------------
    def run(self, line: str) -> None:
        """Executes one command of a script."""
        command, *words = line.split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        names = [word for word in words if "=" not in word]
        numbers = {key: int(options.pop(key)) for key in ("session", "rebalance", "version", "gen") if key in options}
        before = self.group.state
        match command:
            case "settings":
                self.settings = replace(self.settings, **{key: int(value) for key, value in options.items()})
            case "join":
                self.join(names[0], **options, **numbers)
            case "sync":
                self.sync(names[0], **options, **numbers)
            case "beat":
                self.beat(names[0], **options, **numbers)
            case "commit":
                self.commit(names[0], **options, **numbers)
            case "leave":
                self.leave(names[0], **options)
            case "remove":
                self.leave("", **options)
            case "advance":
                self.advance(int(names[0]))
            case "restart":
                self.restart()
            case "show":
                members = ",".join(self.group.members)
                self.events.append(f"group: {self.group.state.value} gen={self.group.generation} members={members}")
            case _:
                raise ValueError(f"no such command: {line}")
        if self.group.state is not before:
            self.events.append(f"group: {self.group.state.value}")


def split_pairs(text: str) -> list[tuple[str, str]]:
    """`a:x,b:y` → [("a", "x"), ("b", "y")]."""
    return [(part.split(":")[0], part.split(":")[1]) for part in text.split(",") if part]


def run_script(text: str) -> str:
    """The script with its expectations replaced by what really happens: equal to `text` when all is well."""
    machine = GroupMachine()
    blocks: list[str] = []
    for block in text.strip().split("\n\n"):
        commands = block.split("\n---")[0].split("\n")
        machine.events.clear()
        for line in commands:
            if not line.startswith("#"):
                machine.run(line)
        blocks.append("\n".join([*commands, "---", *machine.events]) if machine.events else "\n".join(commands))
    return "\n\n".join(blocks) + "\n"
