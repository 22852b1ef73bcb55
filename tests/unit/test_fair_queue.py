"""One at a time: whoever asks most holds up nobody else."""

import asyncio

from madsea.web.fair_queue import FairQueue


def test_places_take_turns() -> None:
    order: list[str] = []

    async def one(turns: FairQueue, source: str) -> None:
        assert await turns.take(source, wait_s=10)
        order.append(source)
        turns.give()

    async def crowd() -> None:
        turns = FairQueue()
        await turns.take("first", wait_s=0)
        waiting = [asyncio.create_task(one(turns, source)) for source in "aaaab"]
        await asyncio.sleep(0)
        turns.give()
        await asyncio.gather(*waiting)

    asyncio.run(crowd())

    assert order == ["a", "b", "a", "a", "a"]


def test_who_waits_too_long_is_told_so_and_loses_nobody_elses_turn() -> None:
    async def crowd() -> list[bool]:
        turns = FairQueue()
        await turns.take("first", wait_s=0)
        late = [await turns.take("a", wait_s=0.01), await turns.take("b", wait_s=0.01)]
        turns.give()
        return [*late, await turns.take("c", wait_s=0)]

    assert asyncio.run(crowd()) == [False, False, True]


def test_a_turn_that_comes_as_its_time_ends_is_passed_on() -> None:
    async def crowd() -> bool:
        turns = FairQueue()
        await turns.take("first", wait_s=0)
        late = asyncio.create_task(turns.take("a", wait_s=10))
        await asyncio.sleep(0)
        turns.give()
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
        return await turns.take("b", wait_s=0)

    assert asyncio.run(crowd())
