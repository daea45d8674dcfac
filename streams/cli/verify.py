"""`headrace broker verify`: is what the bundled broker keeps on disk what was written there?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.options import json_option
from streams.cli.terminal import print_table, talk
from streams.discovery import HOME_DIRECTORY

if TYPE_CHECKING:
    from broker.verification.finding import Finding, PartitionReport


@click.command(short_help="Look through a broker's data directory for damage.")
@click.argument("directory", type=click.Path(path_type=Path), default=Path(HOME_DIRECTORY) / "broker")
@json_option
def verify(directory: Path, as_json: bool) -> None:
    """Look through the data DIRECTORY of a broker that is stopped. Changes nothing.

    Reads every record batch (checksum, length, order of offsets), the indexes and all small files, and tells what is
    damaged, where, and what becomes of it. Without DIRECTORY it is the one of `headrace broker` run from here.

    \b
    lost      records are damaged or gone; nothing brings them back but a backup
    rebuilt   the broker makes the file anew at its next start
    note      as a crash leaves it; the broker puts it right at its next start

    Exits with 1 if anything is lost or has to be rebuilt.

    \b
    headrace broker verify /var/lib/headrace
    """
    import msgspec

    from broker.verification.data import Verification

    with Verification(directory) as verification:
        total = verification.size
        bar = click.progressbar(length=total, label="verifying", file=sys.stderr, hidden=not sys.stderr.isatty())
        with bar:
            reports = list(verification.partitions(bar.update))
        broker_files = list(verification.broker_files())
    findings = [*broker_files, *(finding for report in reports for finding in report.findings)]
    if as_json:
        for report in reports:
            click.echo(msgspec.json.encode(report_fields(report)))
        for finding in broker_files:
            click.echo(msgspec.json.encode({"partition": None, "findings": [finding_fields(finding)]}))
    else:
        columns = ("PARTITION", "SEGMENTS", "BYTES", "BATCHES", "RECORDS", "START", "END", "FINDINGS")
        print_table(columns, [row(report) for report in reports], right=columns[1:])
        for finding in findings:
            where = finding.path if finding.position is None else f"{finding.path} at {finding.position}"
            click.echo(f"{finding.severity}: {where}: {finding.text}")
    damaged = sum(finding.damage for finding in findings)
    ended = "after a clean shutdown" if verification.clean else "not shut down cleanly"
    talk(f"{len(reports)} partitions, {total} bytes, {ended}: {damaged or 'no'} damaged place{'s' * (damaged != 1)}")
    if damaged:
        raise click.exceptions.Exit(1)


def row(report: PartitionReport) -> tuple[object, ...]:
    return (
        report.name, report.segments, report.size, report.batches, report.records, report.start_offset,
        report.end_offset, len(report.findings),
    )  # fmt: skip


def report_fields(report: PartitionReport) -> dict[str, object]:
    return {
        "partition": report.name,
        "segments": report.segments,
        "bytes": report.size,
        "batches": report.batches,
        "records": report.records,
        "start_offset": report.start_offset,
        "end_offset": report.end_offset,
        "findings": [finding_fields(finding) for finding in report.findings],
    }


def finding_fields(finding: Finding) -> dict[str, object]:
    return {
        "severity": finding.severity,
        "file": str(finding.path),
        "position": finding.position,
        "text": finding.text,
    }
