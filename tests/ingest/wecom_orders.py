"""Builders of what the work platform says about orders, as its documents show it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CREATED_AT = 1_772_668_800  # 2026-03-05 08:00 in China
HOUR = 3600


def record(process_type: int, hours: float, *, who: str = "ma", desc: str = "", status: int = 1) -> dict[str, Any]:
    """One record of a process list, so many hours after the order was created."""
    return {
        "process_type": process_type,
        "solve_userid": who,
        "process_desc": desc,
        "status": status,
        "solved_time": int(CREATED_AT + hours * HOUR) if status else 0,
        "image_urls": [],
        "video_media_ids": [],
    }


def order(number: int = 1, *, place: tuple[float, float] | None = None, **changes: Any) -> dict[str, Any]:
    """A patrol report; `place` is longitude and latitude as the platform gives them."""
    longitude, latitude = place or (0, 0)
    return {
        "order_id": f"wr-{number:03d}_Ab",
        "desc": "排水沟堵了",
        "urge_type": 1,
        "case_name": "邻里",
        "grid_name": "西村第1网格",
        "grid_id": "g-w1",
        "create_time": CREATED_AT,
        "image_urls": ["https://image1.qq.com"],
        "video_media_ids": [],
        "location": {"name": "老桥头", "address": "西村一组", "latitude": latitude, "longitude": longitude},
        "processor_userids": ["ma"],
        "process_list": [record(1, 0)],
    } | changes


def answer(orders: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """What `get_order_list` says."""
    return {"errcode": 0, "errmsg": "ok", "next_cursor": "", "order_list": list(orders)} | more


def write(file: Path, content: Any) -> Path:
    """Write an answer to a file."""
    file.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return file
