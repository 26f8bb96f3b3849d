"""How three hundred simulated people come to a town hall (clocks.py): each way by itself, and all of them together."""

from collections.abc import Callable

from tests.anonymity.clocks import OPENING, Browser, Entry, World, sign

PEOPLE = 300
END = OPENING + 1_500


def early(world: World, count: int = PEOPLE, late_part: float = 0.2) -> None:
    """Signed hours before; their pages are closed, and opened again before the opening or within two minutes after it."""
    for number in range(count):
        browser = _away(world, f"early-{number}")
        late = world.chance.random() < late_part
        world.at(OPENING + (world.chance.uniform(1, 105) if late else -world.chance.uniform(5, 900)), browser.visit)


def lobby(world: World, count: int = PEOPLE, within_s: float = 300, special: str = "", specials: int = 0) -> list[Browser]:
    """Signed shortly before the opening; they stay. The first `specials` are named otherwise: something happens to them."""
    names = [f"{special if number < specials else 'lobby'}-{number}" for number in range(count)]
    return [sign(world, name, OPENING - world.chance.uniform(2, within_s)) for name in names]


def rush(world: World) -> None:
    """Forty within a minute."""
    lobby(world, 40, 60)


def late(world: World, count: int = 240, every_s: float = 12) -> None:
    """After the first round, in batches."""
    lobby(world, PEOPLE - count)
    for number in range(count):
        sign(world, f"late-{number}", OPENING + world.chance.uniform(125, 125 + count * every_s))


def few(world: World) -> None:
    """So seldom that some are asked to come in with few, and one in four of them does: those are found, and not scored."""
    lobby(world, 60)
    for number in range(240):
        chooses = world.chance.random() < 0.25
        sign(
            world,
            f"{'few' if chooses else 'late'}-{number}",
            OPENING + world.chance.uniform(125, 125 + 240 * 90),
            chooses=chooses,
        )


def reloading(world: World) -> None:
    """While they wait, as the round begins, and between that and their showing."""
    for browser in lobby(world):
        for low, high in ((-200, -3), (-2, 3), (6, 100)):
            if world.chance.random() < 0.4:
                world.at(OPENING + world.chance.uniform(low, high), _reload(browser))


def losing(world: World) -> None:
    """The network goes: of some at any time before, of some as the town hall opens, of a whole floor at once."""
    for number, browser in enumerate(lobby(world, special="lost", specials=180)):
        if number < 60:
            world.at(OPENING - world.chance.uniform(5, 200), _blip(browser, world.chance.uniform(2, 60)))
        elif number < 120:
            world.at(OPENING - world.chance.uniform(-3, 3), _blip(browser, world.chance.uniform(1, 60)))
        elif number < 180:
            world.at(OPENING - 20 + world.chance.uniform(0, 1), _blip(browser, 35 + world.chance.uniform(0, 5)))


def closing(world: World) -> None:
    """Their pages are closed in the lobby, and opened again before the round ends."""
    for number, browser in enumerate(lobby(world, special="closed", specials=60)):
        if number < 60:
            world.at(max(OPENING - world.chance.uniform(10, 250), browser.entry.signed_at + 5), browser.leave)
            world.at(OPENING + world.chance.uniform(-5, 105), browser.visit)


def straggling(world: World) -> None:
    """Ten of three hundred, signed hours before, come back in the middle of the first round, ten in the middle of later ones."""
    late(world, 100, 12)
    for number in range(20):
        _strays(world, f"{'stray' if number < 10 else 'later'}-{number}", (1, 105) if number < 10 else (180, 1_200))


def last(world: World) -> None:
    """As above, and it is one person: all others who were signed before are there from the beginning."""
    late(world, 100, 12)
    browser = _away(world, "last-0")

    def come() -> None:
        found = world.hall.round
        assert found is not None
        if found.at > OPENING and found.at + 8 <= world.now <= found.ends_at - 8:
            browser.visit()
        else:
            world.at(world.now + 1, come)

    world.at(OPENING + world.chance.uniform(180, 600), come)


def _away(world: World, person: str) -> Browser:
    """Signed hours before; the page was closed then."""
    at = OPENING - world.chance.uniform(3_600, 80_000)
    browser = sign(world, person, at)
    world.at(at + world.chance.uniform(60, 600), browser.leave)
    return browser


def _strays(world: World, person: str, between: tuple[float, float]) -> None:
    browser = _away(world, person)
    world.at(OPENING + world.chance.uniform(*between), browser.visit)


def restoring(world: World) -> None:
    """An entry comes from another device: half of them in the lobby, half late, after the issuer has refused them there."""
    lobby(world, 100)
    for number in range(200):
        first = _away(world, f"restored-{number}")
        come = OPENING + (-world.chance.uniform(60, 600) if number < 100 else world.chance.uniform(130, 1_200))
        _restored(world, first, come)


def returning(world: World) -> None:
    """They take part, and go to the issuer again: with another device, onto which their entry is brought."""
    for browser in lobby(world, special="returned", specials=100)[:100]:
        _restored(world, browser, OPENING + world.chance.uniform(200, 1_300))


def mixed(world: World) -> None:
    """All of them."""
    early(world, 120)
    for number, browser in enumerate(lobby(world, 80)):
        if number < 20:
            world.at(OPENING + world.chance.uniform(-100, 100), _reload(browser))
        elif number < 40:
            world.at(OPENING + world.chance.uniform(-50, 50), _blip(browser, world.chance.uniform(1, 40)))
        elif number < 50:
            _restored(world, browser, OPENING + world.chance.uniform(200, 1_300))
    for number in range(100):
        sign(world, f"late-{number}", OPENING + world.chance.uniform(5, 1_200))


COMINGS: dict[str, Callable[[World], object]] = {
    way.__name__: way
    for way in (early, lobby, rush, late, few, reloading, losing, closing, straggling, last, restoring, returning, mixed)
}


def _reload(browser: Browser) -> Callable[[], None]:
    def reload() -> None:
        if browser.connection is not None:
            browser.leave()
            browser.world.at(browser.world.now + browser.world.chance.uniform(0.1, 0.6), browser.visit)

    return reload


def _blip(browser: Browser, for_s: float) -> Callable[[], None]:
    return lambda: browser.blip(for_s)


def _restored(world: World, first: Browser, come: float) -> None:
    """On another device: the issuer refuses a second entry, the chat's page watches, and then it has the first one's."""
    person = first.entry.person
    empty = Entry(person, float("inf"), [])
    second = Browser(world, empty)

    def refused() -> None:
        world.seen.signings.append((int(world.now), person))
        second.visit(from_issuer=True)
        world.at(world.now + world.chance.uniform(30, 120), brought)

    def brought() -> None:
        first.leave()
        second.entry = Entry(person, world.now, list(first.entry.tokens), first.entry.shown)
        if second.entry.shown:
            wait = world.chance.uniform(*world.rules.return_s)
            second.returned_until = world.now + wait
            second._then(wait, second._show)

    world.at(come, refused)
