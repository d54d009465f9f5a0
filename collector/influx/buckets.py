"""What InfluxDB 2.x and Cloud lack of a bucket and its mapping for InfluxQL. Is not for 3.x (`databases3.py`)."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from collector.errors import ConfigError
from collector.influx.management import Forbidden, Management
from collector.influx.plan import Plan, Step, shard_seconds, shorter, span
from collector.settings import Influx

POLICY = "autogen"
"""The retention policy under which InfluxQL finds a bucket that stands for a whole database."""

_VIRTUAL = (2, 4)
"""From this version on InfluxQL finds a bucket by its name, without a mapping."""


class Buckets:
    """The buckets of one organization. `version`: of the server, None for Cloud and where it doesn't say."""

    right = "the token has to be of the organization, with read on it, and read and write on its buckets and dbrps"

    def __init__(self, settings: Influx, management: Management, version: tuple[int, int] | None) -> None:
        self._bucket = settings.bucket
        self._org = settings.org
        self._management = management
        self._version = version

    def plan(self, keep: int | None) -> Plan:
        """Return what the organization lacks; raise Forbidden, Unauthorized or Unavailable."""
        org = self._org_id()
        there = self._find(org)
        if there is None:
            return self.whole(keep)
        steps = self._retention(there, keep)
        mapped = self._mappings(org)
        if any(mapping.get("bucketID") == there.get("id") for mapping in mapped):
            return Plan(steps=steps)
        if any(mapping.get("retention_policy") == POLICY for mapping in mapped):
            note = f"InfluxQL finds another bucket as the database {self._bucket}: that is left as it is"
            return Plan(steps=steps, note=note)
        return Plan(steps=[*steps, self._mapping()])

    def whole(self, keep: int | None) -> Plan:
        """Return what an organization lacks that has nothing yet."""
        seconds = keep or 0
        statement = ["influx", "bucket", "create", "--name", self._bucket, "--org", self._org]
        create = Step(
            what="create",
            words=f"create the bucket {self._bucket} of organization {self._org}, kept {span(seconds)}",
            statement=shlex.join([*statement, "--retention", f"{seconds}s"]),
            seconds=seconds,
        )
        # One with a slash in its name is found as a database and a retention policy of their own.
        virtual = self._version is not None and self._version >= _VIRTUAL and "/" not in self._bucket
        return Plan(steps=[create] if virtual else [create, self._mapping()])

    def do(self, step: Step) -> None:
        """Return once the server has said yes; raise as `plan` does."""
        org = self._org_id()
        if step.what == "create":
            rules = [{"type": "expire", "everySeconds": step.seconds}] if step.seconds else []
            document = {"orgID": org, "name": self._bucket, "retentionRules": rules}
            self._management.change("POST", "/api/v2/buckets", document)
            return
        there = self._find(org)
        if there is None:
            raise self._management.strange()
        if step.what == "keep":
            document = {"retentionRules": [_rule(there, step.seconds)]}
            self._management.change("PATCH", f"/api/v2/buckets/{there['id']}", document)
        elif not any(mapping.get("bucketID") == there["id"] for mapping in self._mappings(org)):
            # Looked at anew: Cloud may have made it together with the bucket.
            names = {"database": self._bucket, "retention_policy": POLICY, "default": True}
            self._management.change("POST", "/api/v2/dbrps", {"orgID": org, "bucketID": there["id"], **names})

    def _retention(self, there: Mapping[str, Any], keep: int | None) -> Sequence[Step]:
        now = _seconds(there, "everySeconds")
        if keep in (None, now):
            return []
        wanted = keep or 0
        statement = ["influx", "bucket", "update", "--id", str(there["id"]), "--retention", f"{wanted}s"]
        return [
            Step(
                what="keep",
                words=(
                    f"keep the bucket {self._bucket} of organization {self._org} {span(wanted)} instead of {span(now)}"
                ),
                statement=shlex.join(statement),
                seconds=wanted,
                shortens=shorter(now, wanted),
            )
        ]

    def _mapping(self) -> Step:
        statement = ["influx", "v1", "dbrp", "create", "--db", self._bucket, "--rp", POLICY, "--default"]
        return Step(
            what="map",
            words=f"let InfluxQL find the bucket {self._bucket} as a database of that name",
            statement=shlex.join([*statement, "--org", self._org, "--bucket-id"]) + " ID",
        )

    def _org_id(self) -> str:
        """Return the organization's id; the settings may have that, too, as InfluxDB's own tools take it."""
        table = self._management.asked.table
        if not self._org:
            raise ConfigError([f"{table}.org: is missing; a bucket of this server belongs to an organization"])
        for key in ("org", "orgID"):
            answer = self._management.get("/api/v2/orgs", {key: self._org}, missing={"orgs": []})
            for org in self._rows(answer, "orgs"):
                if self._org in (org.get("name"), org.get("id")):
                    return str(org["id"])
        target = self._management.asked.target
        raise Forbidden(
            f"{target}: the organization is not there, or the token may not see it; {table}.org is its name or id"
        )

    def _find(self, org: str) -> Mapping[str, Any] | None:
        query = {"orgID": org, "name": self._bucket}
        found = self._management.get("/api/v2/buckets", query, missing={"buckets": []})
        named = [bucket for bucket in self._rows(found, "buckets") if bucket.get("name") == self._bucket]
        if not named and _is_id(self._bucket):
            # A write takes an id for a name too, and names one first.
            found = self._management.get("/api/v2/buckets", {"orgID": org, "id": self._bucket}, missing={"buckets": []})
            named = [bucket for bucket in self._rows(found, "buckets") if bucket.get("id") == self._bucket]
        return named[0] if named else None

    def _mappings(self, org: str) -> Sequence[Mapping[str, Any]]:
        return self._rows(self._management.get("/api/v2/dbrps", {"orgID": org, "db": self._bucket}), "content")

    def _rows(self, document: object, key: str) -> Sequence[Mapping[str, Any]]:
        rows = document.get(key) if isinstance(document, dict) else None
        if rows is None and isinstance(document, dict) and key in document:
            return []  # Go writes an empty list as null
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self._management.strange()
        return rows


def _is_id(text: str) -> bool:
    return len(text) == 16 and all(char in "0123456789abcdef" for char in text)  # noqa: PLR2004 - as InfluxDB writes it


def _seconds(bucket: Mapping[str, Any], key: str) -> int:
    """Return what a bucket's one retention rule says under a key, 0 where it says nothing."""
    rules = bucket.get("retentionRules")
    rule = rules[0] if isinstance(rules, list) and rules else {}
    seconds = rule.get(key) if isinstance(rule, dict) else 0
    return seconds if isinstance(seconds, int) else 0


def _rule(bucket: Mapping[str, Any], seconds: int) -> Mapping[str, object]:
    rule: dict[str, object] = {"type": "expire", "everySeconds": seconds}
    # Refused where a group of shards outlasts the retention. Cloud has none, and shows none.
    if 0 < seconds < _seconds(bucket, "shardGroupDurationSeconds"):
        rule["shardGroupDurationSeconds"] = shard_seconds(seconds)
    return rule
