"""Systems of tests/services/: a store, and a service or worker that needs it, right or with one planted defect."""

import pathlib

from lab_helpers import temporary_folder

HERE = pathlib.Path(__file__).parent / "services"
PYTHON = "exec python3 -B -S -E"


def settings(program, name, before=""):
    """A halfopen.toml of the store, started after that command, and of a service or worker that needs it."""
    ask = {"run": f"{HERE}/ask_worker store"}
    if program == "service":
        ask = {key: f"{HERE}/ask app 3000 {word}" for key, word in
               {"run": "visits", "health": "health", "other": "static"}.items()}
    file = temporary_folder() / "halfopen.toml"
    file.write_text(
        f'[hosts.store]\nrun = "{before}{PYTHON} {HERE}/store.py"\n'
        f'[hosts.app]\nrun = "{PYTHON} {HERE}/{program}.py store {name}"\nneeds = ["store"]\n'
        f"serves = {str(program == 'service').lower()}\n"
        + "[probe]\n" + "".join(f'{key} = "{command}"\n' for key, command in ask.items()))
    return file
