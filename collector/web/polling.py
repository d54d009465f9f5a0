"""When the last poll was, and what is wrong where it is late: the words of the card."""

from collections.abc import Iterator, Sequence

from collector.history.view import Poll, View
from collector.history.words import minute
from collector.web.markup import Markup, joined, tag, tip

_SUBJECTS = {
    "organization": "the organization's score",
    "device_groups": "the groups' scores",
    "device_secure_score": "the secure score",
}


def polled(view: View) -> Markup:
    """Return when the last poll was, and how it ended."""
    last = max(view.polls, key=lambda poll: poll.at, default=None)
    if last is None:
        known = view.card.polled
        words = "Never polled" if known is None else f"Scored {minute(known)} UTC"
        return tag("p", words, class_=f"polled{' bad' if known is None or view.card.late else ''}")
    failed = [poll for poll in view.polls if not poll.ok]
    end = "in part" if failed and len(failed) < len(view.polls) else "failed" if failed else "went well"
    bad = " bad" if failed or view.card.late else ""
    return tag("p", f"Last poll {minute(last.at)} UTC, {end}", class_=f"polled{bad}")


def late(view: View, *, former: bool) -> Markup:
    """Return what is wrong, subject by subject; nothing where all is well."""
    card = view.card
    if former:
        return _told("Kept of a former tenant", ["It is no longer in the settings: the newest score stands."])
    if card.polled is None and not view.polls:
        return _told("No score yet", ["The first poll is awaited. This page shows it as soon as it is there."])
    lines = list(_lines(view))
    return _told("Late, or failed", lines, wrong=True) if lines else Markup("")


def _told(title: str, lines: Sequence[str], *, wrong: bool = False) -> Markup:
    told = tag("ul", *(tag("li", each) for each in lines))
    return tag("section", tag("h2", title), told, class_=f"alert{' wrong' if wrong else ''}")


def _lines(view: View) -> Iterator[Markup]:
    card = view.card
    polls = {poll.subject: poll for poll in view.polls}
    newest = {
        "organization": card.standing.at if card.standing else None,
        "device_groups": max((group.standing.at for group in card.groups), default=None),
    }
    for subject in dict.fromkeys([*card.late, *(poll.subject for poll in view.polls if not poll.ok)]):
        poll, at = polls.get(subject), newest.get(subject)
        what = _SUBJECTS.get(subject, subject)
        since = f"the newest one is of {minute(at)}" if at is not None else "there is none yet"
        yield joined(f"{what[0].upper()}{what[1:]}: {'late, ' if subject in card.late else ''}{since}. ", _why(poll))


def _why(poll: Poll | None) -> Markup:
    if poll is None or poll.ok:
        return joined("It was not polled since: is the service running all the time?")
    return joined(
        f"The last poll, of {minute(poll.at)}, failed: ",
        tag("code", tip(poll.error) or "no reason was kept"),
        ". See ",
        tag("code", "exposure-collector check"),
        ".",
    )
