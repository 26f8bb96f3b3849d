"""An issuer's card as it is taken at the chat: a key that is one, and an address that does not share the chat's cookies."""

from protocol.origins import host_of, is_loopback, same_host
from protocol.refusals import Refusal
from protocol.setup import Admission
from server.admission.signature import is_issuer_key


def refused_card(admission: Admission | None, *chat: str) -> Refusal | None:
    """Refuses with `bad_request`, `same_host`. `chat`: addresses of the chat. What the address must look like is a rule."""
    if admission is None:
        return None
    if not is_issuer_key(admission.issuer.key):
        return Refusal("bad_request", field="$.admission.issuer.key")
    waiting = admission.issuer.waiting_key
    # One key for both would sign an entry as a waiting token: what is signed is not seen.
    if waiting and (waiting == admission.issuer.key or not is_issuer_key(waiting)):
        return Refusal("bad_request", field="$.admission.issuer.waiting_key")
    url = admission.issuer.url
    if any(same_host(url, one) and not is_loopback(host_of(one)) for one in chat):
        return Refusal("same_host", {"host": host_of(url)}, field="$.admission.issuer.url")
    return None
