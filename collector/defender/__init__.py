"""Where exposure scores come from: Microsoft's Defender API and its sign-in, one `Defender` a tenant.

Answers become points here and nowhere else. Is not a scheduler, and never retries: whoever asks decides when to come
back.
"""

from collector.defender.client import Defender

__all__ = ["Defender"]
