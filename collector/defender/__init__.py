"""Where exposure scores come from: Microsoft's Defender API and its sign-in, one `Defender` a tenant.

Answers become points here and nowhere else. Is not a scheduler, and never retries: whoever asks decides when to come
back.
"""

from collector.defender.client import Defender
from collector.defender.clock import TOLERATED_SECONDS, agreed
from collector.defender.clouds import portal
from collector.defender.sign_in import Login, Logins, Person
from collector.defender.whereabouts import Whereabouts

__all__ = ["TOLERATED_SECONDS", "Defender", "Login", "Logins", "Person", "Whereabouts", "agreed", "portal"]
