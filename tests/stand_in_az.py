"""A stand-in for the Azure CLI: keeps a directory in a file, answers from it as Graph does, and records each call.

`az` itself is not asked: what is shown here is which calls the script makes, in which order, and what it makes of the
answers. Queries are JMESPath, as they are there.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jmespath

STATE = Path(os.environ["STAND_IN_AZ"])
GRAPH, LOGIN = "https://graph.microsoft.com/", "https://login.microsoftonline.com"

Object = dict[str, Any]
Given = dict[str, str]


class Directory:
    """One tenant's. A method a command, by its words; what is None was not to be had."""

    def __init__(self, state: Object) -> None:
        self.state = state
        self._apps: list[Object] = state["apps"]
        self._principals: list[Object] = state["principals"]

    def account_show(self, _: Given) -> Object | None:
        return {"tenantId": self.state["tenant"]} if self.state["tenant"] else None

    def cloud_show(self, _: Given) -> Object:
        return {"endpoints": {"microsoftGraphResourceId": GRAPH, "activeDirectory": self.state.get("login", LOGIN)}}

    def ad_sp_list(self, given: Given) -> list[Object]:
        return [each for each in self._principals if matches(each, given["--filter"])]

    def ad_sp_show(self, given: Given) -> Object | None:
        return next((each for each in self._principals if each["id"] == given["--id"]), None)

    def ad_sp_create(self, given: Given) -> Object:
        self._principals.append({"id": self._id(), **self._app(given), "servicePrincipalType": "Application"})
        return self._principals[-1]

    def ad_app_list(self, given: Given) -> list[Object]:
        return [each for each in self._apps if matches(each, given["--filter"])]

    def ad_app_create(self, given: Given) -> Object:
        named = {"displayName": given["--display-name"], "signInAudience": given["--sign-in-audience"]}
        self._apps.append({"appId": self._id(), **named, "requiredResourceAccess": [], "keys": [], "federated": []})
        return self._apps[-1]

    def ad_app_show(self, given: Given) -> Object:
        return self._app(given)

    def ad_app_update(self, given: Given) -> Object:
        self._app(given)["signInAudience"] = given["--sign-in-audience"]
        return {}

    def ad_app_permission_add(self, given: Given) -> Object:
        role, kind = given["--api-permissions"].split("=")
        asked = {"resourceAppId": given["--api"], "resourceAccess": [{"id": role, "type": kind}]}
        self._app(given)["requiredResourceAccess"].append(asked)
        return {}

    def ad_app_credential_list(self, given: Given) -> list[Object]:
        keys: list[Object] = self._app(given)["keys"]
        return keys

    def ad_app_credential_reset(self, given: Given) -> Object:
        assert "--append" in given, "others' credentials would go"
        from cryptography import x509  # noqa: PLC0415 - takes longer than all else, and hardly a call needs it

        text = Path(given["--cert"].removeprefix("@")).read_text(encoding="utf-8")
        # As the real one does: to the certificate's end, but a year at the most unless a number is given.
        most = datetime.now(UTC) + timedelta(days=365 * int(given.get("--years", 1)))
        ends = min(x509.load_pem_x509_certificate(text.encode()).not_valid_after_utc, most)
        key = {"keyId": self._id(), "displayName": given["--display-name"], "endDateTime": ends.isoformat()}
        self._app(given)["keys"].append(key | {"text": text})
        return {"appId": given["--id"]}

    def ad_app_federated_credential_list(self, given: Given) -> list[Object]:
        trusted: list[Object] = self._app(given)["federated"]
        return trusted

    def ad_app_federated_credential_create(self, given: Given) -> Object:
        trusted = json.loads(given["--parameters"])
        self._app(given)["federated"].append(trusted)
        return dict(trusted)

    def rest(self, given: Given) -> Object:
        prefix = f"{GRAPH}v1.0/servicePrincipals/"
        assert given["--url"].startswith(prefix)
        principal, _, what = given["--url"].removeprefix(prefix).partition("/")
        assert what == "appRoleAssignments"
        grants: list[Object] = self.state["grants"]
        if given["--method"] == "get":
            return {"value": [each for each in grants if each["principalId"] == principal]}
        body = json.loads(given["--body"])
        assert body["principalId"] == principal
        grants.append({"id": self._id(), **body})
        return grants[-1]

    def _app(self, given: Given) -> Object:
        (found,) = [each for each in self._apps if each["appId"] == given["--id"]]
        return found

    def _id(self) -> str:
        self.state["last"] = self.state.get("last", 0) + 1
        return f"00000000-0000-0000-0000-{self.state['last']:012}"


def matches(each: Object, asked: str) -> bool:
    """Return whether an object is what a filter asks for: `KEY eq 'VALUE'`, several joined by `and`."""
    pairs = [part.split(" eq ") for part in asked.split(" and ")]
    return all(each.get(key) == value[1:-1].replace("''", "'") for key, value in pairs)


def options(words: list[str]) -> Given:
    """Return the options with their values; a switch has none."""
    found: Given = {}
    while words:
        key, *words = words
        found[key] = words.pop(0) if words and not words[0].startswith("--") else ""
    return found


def main() -> int:
    """Answer one call."""
    state = json.loads(STATE.read_text(encoding="utf-8"))
    words = sys.argv[1:]
    at = next((n for n, word in enumerate(words) if word.startswith("--")), len(words))
    given = options(words[at:])
    state["calls"].append(words)
    command = "_".join(words[:at]).replace("-", "_")
    answer = getattr(Directory(state), command)(given)
    STATE.write_text(json.dumps(state), encoding="utf-8")
    if answer is None:
        return 1
    found = jmespath.search(given["--query"], answer) if "--query" in given else answer
    rows = found if isinstance(found, list) else [found]
    sys.stdout.writelines(f"{row}\n" for row in rows if row is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
