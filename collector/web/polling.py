"""When the last poll was, and what is wrong where it is late: the words of the card."""

from collections.abc import Iterator

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
        return tag("p", words, class_="polled")
    failed = [poll for poll in view.polls if not poll.ok]
    end = "in part" if failed and len(failed) < len(view.polls) else "failed" if failed else "went well"
    bad = " bad" if failed or view.card.late else ""
    return tag("p", f"Last poll {minute(last.at)} UTC, {end}", class_=f"polled{bad}")


def late(view: View, *, former: bool) -> Markup:
    """Return what is wrong, subject by subject; nothing where all is well."""
    lines = list(_lines(view, former=former))
    if not lines:
        return Markup("")
    told = tag("ul", *(tag("li", each) for each in lines))
    return tag("section", tag("h2", "What is to be known"), told, class_="alert")


def _lines(view: View, *, former: bool) -> Iterator[Markup]:
    card = view.card
    if former:
        yield Markup(joined("This tenant is no longer in the settings: what is shown was kept of it."))
        return
    polls = {poll.subject: poll for poll in view.polls}
    if card.polled is None and not polls:
        yield joined("No score yet: the first poll is awaited. The page shows it as soon as it is there.")
        return
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
