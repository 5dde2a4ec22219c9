"""Serves one object's methods as JSON lines: a request {"method", "params"} per line in, {"result"} or {"error"} per line out, {"event"} at any time. Bytes are base64."""
import base64
import json
import sys
import threading
import traceback

speaking = threading.Lock()


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def raw(data):
    return None if data is None else base64.b64decode(data)


def letter_in(letter):
    return {
        "partition": letter["partition"],
        "key": raw(letter["key"]),
        "value": raw(letter["value"]),
        "headers": [(name, raw(content)) for name, content in letter["headers"]],
    }


def say(line):
    with speaking:
        print(json.dumps(line), flush=True)


def tell(event):
    say({"event": event})


def serve(driver):
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": getattr(driver, request["method"])(**request["params"])}
        except Exception as error:  # the suite judges it
            traceback.print_exc(file=sys.stderr)
            answer = {"error": f"{type(error).__name__}: {error}"}
        say(answer)
    driver.close()
