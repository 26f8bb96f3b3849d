"""The organiser's part over HTTP: create, open, links, close, record."""

from typing import Any
from uuid import uuid4

import aiohttp
import orjson

from loadtests.client import staff_ticket

DEPARTMENTS = (
    ("planning", "기획조정실", "Planning", "한도윤", ("예산", "조직개편", "시스템")),
    ("governance", "자치안전행정국", "Administration", "서지안", ("인사", "승진", "복지", "휴가", "육아", "교육")),
    ("facilities", "청사관리국", "Facilities", "문태경", ("식당", "반찬", "주차", "청사", "엘리베이터")),
    ("construction", "건설교통국", "Transport", "편수호", ("버스", "도로", "정류장", "공사")),
    ("disaster", "재난안전실", "Safety", "도하린", ("비상근무", "당직", "태풍", "산불")),
    ("culture", "문화체육관광국", "Culture", "금보라", ("축제", "행사", "도서관", "관광")),
)
SETUP = {
    "title": "한빛도 직원 만남의 날 예행연습",
    "mode": "open",
    "departments": [{"id": id, "name_ko": ko, "name_en": en, "duties": duties} for id, ko, en, _, duties in DEPARTMENTS],
    "directors": [{"id": f"{id}-1", "department": id, "name": name, "title": "국장"} for id, _, _, name, _ in DEPARTMENTS],
    "hosts": [{"id": "host-1", "name": "진행자"}],
}
DIRECTORS = [str(director["id"]) for director in SETUP["directors"]]  # type: ignore[index]  # a plain dict of JSON


class Failed(Exception):
    """The server said no where it must not."""


class Organiser:
    """`key`: the organiser key of the server at `url`."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._links: dict[tuple[str, str], str] = {}

    async def create(self) -> str:
        """An open town hall with six directors; its code. Raises Failed."""
        made = (await self._ask("POST", "", {"setup": SETUP}))["data"]
        self._links = {(link["role"], link["id"]): link["url"] for link in made["made"]}
        code = str(made["code"])
        await self.command(code, "hall:open")
        return code

    async def tokens(self) -> dict[tuple[str, str], str]:
        """{(role, id): ticket} of all staff links of what was created. They hold for ten minutes. Raises NotAdmitted."""
        return {who: await staff_ticket(self._session, link) for who, link in self._links.items()}

    async def command(self, code: str, name: str) -> Any:
        """Raises Failed."""
        return await self._ask("POST", f"/{code}/organiser/commands", {"command": name, "payload": {"client_id": uuid4().hex}})

    async def record(self, code: str, name: str) -> bytes:
        """A file of the record: `record.jsonl`, `questions.csv` or `report.html`. Raises Failed."""
        address = f"{self._url}/api/v1/halls/{code}/export/{name}?lang=en"
        async with self._session.get(address, headers=self._headers) as response:
            if response.status != 200:
                raise Failed(await response.text())
            return await response.read()

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else orjson.dumps(body)
        address = f"{self._url}/api/v1/halls{path}"
        async with self._session.request(method, address, headers=self._headers, data=data) as response:
            answer = await response.json()
        if not answer["ok"]:
            raise Failed(answer["error"]["message"])
        return answer
