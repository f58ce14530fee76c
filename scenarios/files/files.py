"""Three replicas, each with a disk of its own: a file saved on one of them is read on another.

    on any replica:   files.save("hello.txt", "saved on one")
    on another:       rpc.call("one", "files", "read", ["hello.txt"])
                      files.fetch("one", "big.bin")

Each node keeps its files in a folder of its own name, as each pod has its own volume.
"""

from pathlib import Path

from pyx import Node, Process, make_ref, receive, self, send

ROOT = Path("replicas")
CHUNK = 64 * 1024


def save(name, data):
    """Saves text or bytes on this node; returns the number of bytes."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(data.encode() if isinstance(data, str) else data)


def read(name):
    """The text of a file of this node."""
    return _path(name).read_text()


def names():
    """The files of this node."""
    folder = ROOT / Node.self()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def stream(name, reader, ref):
    """A process that sends a file of its node piece by piece: ("chunk", ref, bytes) ..., ("end", ref)."""
    with _path(name).open("rb") as file:
        while chunk := file.read(CHUNK):
            send(reader, ("chunk", ref, chunk))
    send(reader, ("end", ref))


def fetch(node, name, timeout=10):
    """Copies a file of another node to this one; returns the number of bytes."""
    ref = make_ref()
    _, monitor = Node.spawn_monitor(node, "files", "stream", [name, self(), ref])
    data = bytearray()
    while True:
        match receive(("chunk", ref, bytes), ("end", ref), ("DOWN", monitor, ..., ..., ...), timeout=timeout):
            case ("chunk", _, chunk):
                data += chunk
            case ("end", _):
                Process.demonitor(monitor, flush=True)
                return save(name, bytes(data))
            case ("DOWN", _, _, _, reason):
                raise OSError(f"{node} did not send {name}: {reason}")


def _path(name):
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not the name of a file")
    return ROOT / Node.self() / name
