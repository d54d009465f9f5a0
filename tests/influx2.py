"""InfluxDB 2.x as far as provisioning asks it: shapes, statuses and words are those of its source code.

Is no proof of how 2.x behaves: it can't be run here. It holds what the collector sends to what the source takes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from origins import Reply, Request

ORG, ORG_ID = "security & Co", "0a1b2c3d4e5f6071"
MANAGES, WRITES = "the token that manages", "the token that writes"
DAY = 86_400

_REFUSED = {"code": "unauthorized", "message": "unauthorized access"}


@dataclass(slots=True)
class Influx2:
    """One server with one organization; `talk` answers for an origin."""

    version: str = "v2.7.12"
    build: str = "OSS"
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    mappings: list[dict[str, Any]] = field(default_factory=list)
    changes: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def add(self, name: str, seconds: int, shards: int | None = None) -> str:
        """Have a bucket, and return its id."""
        number = f"{len(self.buckets) + 1:016x}"
        rule = {"type": "expire", "everySeconds": seconds, "shardGroupDurationSeconds": shards or _shards(seconds)}
        self.buckets[number] = {"id": number, "orgID": ORG_ID, "name": name, "type": "user", "retentionRules": [rule]}
        return number

    def retention(self, name: str) -> Mapping[str, Any]:
        """Return the retention rule of a bucket."""
        (rule,) = next(bucket["retentionRules"] for bucket in self.buckets.values() if bucket["name"] == name)
        return dict(rule)

    def talk(self, request: Request, _: object = None) -> Reply:
        """Answer one request."""
        parts = urlsplit(request.target)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/ping":
            return self._said(204)
        token = request.headers.get("authorization", "").removeprefix("Token ")
        if token not in (MANAGES, WRITES):
            return self._said(401, _REFUSED)
        if parts.path == "/api/v2/write":
            there = query["bucket"] in [bucket["name"] for bucket in self.buckets.values()]
            return self._said(204) if there else self._missing(f"bucket {json.dumps(query['bucket'])} not found")
        if request.method == "GET":
            return self._look(parts.path, query, all_seen=token == MANAGES)
        if token == WRITES:
            return self._said(401, {**_REFUSED, "message": f"write:orgs/{ORG_ID}/buckets is unauthorized"})
        document = json.loads(request.body)
        self.changes.append((request.method, parts.path, document))
        return self._change(request.method, parts.path, document)

    def _look(self, path: str, query: Mapping[str, str], *, all_seen: bool) -> Reply:
        if path == "/api/v2/orgs":
            if query.get("org", ORG) != ORG or query.get("orgID", ORG_ID) != ORG_ID or not all_seen:
                return self._missing(f"organization name {json.dumps(query.get('org', ''))} not found")
            return self._said(200, {"links": {"self": path}, "orgs": [{"id": ORG_ID, "name": ORG}]})
        assert query["orgID"] == ORG_ID
        if path == "/api/v2/dbrps":
            virtual = [self._virtual(bucket) for bucket in self.buckets.values() if self._finds_by_name]
            found = [mapping for mapping in (*self.mappings, *virtual) if mapping["database"] == query["db"]]
            return self._said(200, {"content": found or None})
        assert path == "/api/v2/buckets"
        key, value = ("id", query["id"]) if "id" in query else ("name", query["name"])
        found = [bucket for bucket in self.buckets.values() if bucket[key] == value]
        return self._said(200, {"buckets": found}) if found else self._missing(f"bucket {json.dumps(value)} not found")

    def _change(self, method: str, path: str, document: dict[str, Any]) -> Reply:
        if path == "/api/v2/dbrps":
            assert set(document) == {"orgID", "bucketID", "database", "retention_policy", "default"}
            self.mappings.append({"id": "00000000000000ff", **document})
            return self._said(201, self.mappings[-1])
        rules = document["retentionRules"]
        if method == "POST":
            assert document["orgID"] == ORG_ID
            assert all(rule["everySeconds"] >= 3600 for rule in rules)
            number = self.add(document["name"], rules[0]["everySeconds"] if rules else 0)
            return self._said(201, self.buckets[number])
        bucket = self.buckets[path.removeprefix("/api/v2/buckets/")]
        rule = {**bucket["retentionRules"][0], **rules[0]}
        if 0 < rule["everySeconds"] < rule["shardGroupDurationSeconds"]:
            said = "shard-group duration must also be updated to be smaller than new retention duration"
            return self._said(422, {"code": "unprocessable entity", "message": said})
        bucket["retentionRules"] = [rule]
        return self._said(200, bucket)

    @property
    def _finds_by_name(self) -> bool:
        return self.version >= "v2.4"

    def _virtual(self, bucket: Mapping[str, Any]) -> dict[str, Any]:
        database, _, policy = bucket["name"].partition("/")
        names = {"database": database, "retention_policy": policy or "autogen", "default": True, "virtual": True}
        return {"id": bucket["id"], "bucketID": bucket["id"], "orgID": ORG_ID, **names}

    def _missing(self, words: str) -> Reply:
        return self._said(404, {"code": "not found", "message": words})

    def _said(self, status: int, document: Mapping[str, Any] | Sequence[Any] | None = None) -> Reply:
        headers = {"X-Influxdb-Build": self.build, "X-Influxdb-Version": self.version}
        return Reply(b"" if document is None else json.dumps(document).encode(), status, headers)


def _shards(seconds: int) -> int:
    if seconds == 0 or seconds >= 180 * DAY:
        return 7 * DAY
    return DAY if seconds >= 2 * DAY else 3600
