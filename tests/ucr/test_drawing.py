from ucr.drawing import drawn

TREE = {
    "parent": {
        "pid": 1,
        "state": "serving",
        "generation": 2,
        "rss_bytes": 0,
        "children": [
            {"name": "slot 0", "state": "running", "crashes": 0, "restarts": 0},
            {
                "name": "slot 1",
                "state": "backing_off",
                "crashes": 2,
                "restarts": 1,
                "children": [{"name": "below", "state": "running", "crashes": 0, "restarts": 0}],
            },
        ],
    },
    "workers": [
        {
            "worker": "0",
            "pid": 7,
            "state": "serving",
            "generation": 2,
            "rss_bytes": 3 * 1024 * 1024,
            "open_requests": 4,
            "children": [
                {
                    "name": "groq",
                    "state": "running",
                    "crashes": 0,
                    "restarts": 0,
                    "mailbox": {"queued": 1, "unanswered": 2, "capacity": 9},
                    "statistics": {
                        "state": "serving",
                        "in_flight": 3,
                        "limit": 64,
                        "failures": {"reset": 5},
                        "breaker": {"state": "closed", "opened_in_s": None},
                        "breakers": {"m": {"state": "open", "opened_in_s": 29.6}},
                        "keys": [{"cooling_in_s": None}, {"cooling_in_s": 3.0}],
                    },
                }
            ],
        }
    ],
}


def test_the_tree_is_drawn_with_what_each_of_it_does() -> None:
    assert drawn(TREE, "router") == [
        "router",
        "├─ parent  serving, pid 1, generation 2",
        "│  ├─ slot 0  running",
        "│  └─ slot 1  backing_off; 2 crashes, 1 restarts",
        "│     └─ below  running",
        "└─ worker 0  serving, pid 7, generation 2, 3.0 MB, 4 open requests",
        "   └─ groq  running; mailbox 1 queued, 2/9 unanswered; in flight 3, limit 64, reset failures 5; "
        "breaker of m open for 30 s; keys cooling: 1",
    ]


def test_the_store_stands_beside_the_workers() -> None:
    limits = {"limits": 1, "borrowers": 2, "recovering": False, "lent": 7, "short": 0}
    child = {"name": "ucr:limits", "state": "running", "crashes": 0, "restarts": 0, "statistics": limits}
    store = {"pid": 9, "generation": 2, "rss_bytes": 0, "children": [child]}
    assert drawn({"parent": None, "workers": [], "store": store}, "router") == [
        "router",
        "└─ store  serving, pid 9, generation 2",
        "   └─ ucr:limits  running; limits 1, borrowers 2, lent 7, short 0",
    ]


def test_a_router_of_one_process_has_no_parent() -> None:
    assert drawn({"parent": None, "workers": []}, "router") == ["router"]
