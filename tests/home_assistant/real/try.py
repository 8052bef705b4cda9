"""Sees the shipped hub in a running Home Assistant: a real mosquitto with the shipped files, the shipped programs with
lines that are files, and Home Assistant set up by its own pages' interface, as a person would. Ends all it starts.

    try.py DIR PROGRAMS VENV ENTER...    DIR, with schemas.py in it, has the same name beyond the command ENTER
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = 60
CONFIG = "homeassistant/device/sos-hub-home/config"
ROOT = pathlib.Path(__file__).resolve().parents[3]
PASSWORDS = {"sos-hub": "hub-word", "sos-app": "app-word", "homeassistant": "ha-word"}
ENTITIES = {
    "siren.sos_home_siren", "button.sos_home_police", "button.sos_home_fire", "button.sos_home_siren_only",
    "button.sos_home_cancel", "button.sos_home_silence", "sensor.sos_home_phase", "sensor.sos_home_message",
    "sensor.sos_home_countdown", "sensor.sos_home_last_incident", "sensor.sos_home_plan", "binary_sensor.sos_home_alarm",
    "binary_sensor.sos_home_ready", "binary_sensor.sos_home_link", "binary_sensor.sos_home_faults",
    "event.sos_home_event",
}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def sbin(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")


def wait(what, condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain: {what}")
        time.sleep(0.1)
    return found


class Program:
    """A process, with what it says in a file."""

    def __init__(self, log, *command):
        self.log = pathlib.Path(log)
        self.begin = self.log.stat().st_size if self.log.exists() else 0
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT)

    def said(self):
        return self.log.read_bytes()[self.begin:].decode(errors="replace")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Home:
    """Brokers, center and hub."""

    def __init__(self, directory, programs):
        self.dir, self.programs = directory, programs
        self.port, self.center_port = free_port(), free_port()
        self.running = []
        broker = directory / "broker"
        (broker / "conf.d").mkdir(parents=True)
        text = (ROOT / "config/mosquitto-home.conf").read_text()
        text = text.replace("\nlistener 1883 127.0.0.1", f"\nlistener {self.port} 127.0.0.1")
        (broker / "home.conf").write_text(text.replace("/etc/mosquitto", str(broker)) + "\nuser root\n")
        shutil.copy(ROOT / "config/mosquitto-home.acl", broker / "sos-home.acl")
        (broker / "sos-home.passwd").write_text("".join(f"{user}:{word}\n" for user, word in PASSWORDS.items()))
        subprocess.run([sbin("mosquitto_passwd"), "-U", broker / "sos-home.passwd"], check=True)
        (broker / "center.conf").write_text(
            f"listener {self.center_port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        for which in ("home", "center"):
            self.start(sbin("mosquitto"), "-c", broker / f"{which}.conf")
        center = directory / "center"
        center.mkdir()
        (center / "center.toml").write_text(
            f'[center]\nstate_dir = "{center}/state"\nkey_file = "{center}/center.key"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.center_port}\n'
            f'[console]\nlisten = "127.0.0.1:{free_port()}"\n[call]\nmode = "simulated"\nanswers = ["confirmed"]\n'
            '[plans]\nprotect_plus = { professional_monitoring = true }\n')
        subprocess.run(
            [programs / "sos-center", "account", "add", "a-1", "--config", center / "center.toml", "--name", "Miller",
             "--address", "12 Elm Street", "--plan", "protect_plus", "--contact", "Ann:+15550101", "--password",
             "plum", "--out", directory / "bundle"], check=True, stdout=subprocess.DEVNULL)
        self.start(programs / "sos-center", "run", "--config", center / "center.toml")
        (directory / "word").write_text(PASSWORDS["sos-hub"])
        os.chmod(directory / "word", 0o600)
        self.hub = None
        self.run_hub()

    def start(self, *command):
        program = Program(self.dir / f"{pathlib.Path(command[0]).name}-{len(self.running)}.log", *command)
        self.running.append(program)
        return program

    def run_hub(self, discovery="true"):
        if self.hub:
            self.hub.stop()
        (self.dir / "hub.toml").write_text(
            f'[hub]\nid = "home"\nname = "Elm Street"\nstate_dir = "{self.dir}/state"\n'
            f'[gpio]\nbackend = "mock"\nmock_dir = "{self.dir}/gpio"\n[siren]\nline = 17\n'
            f'[app]\nport = {self.port}\nusername = "sos-hub"\npassword_file = "word"\n'
            f'[center]\nhost = "127.0.0.1"\nport = {self.center_port}\naccount = "a-1"\n'
            'hub_key_file = "bundle/hub.key"\ncenter_key_file = "bundle/center.pub"\n'
            f'[panel]\nlisten = "127.0.0.1:{free_port()}"\n[home_assistant]\ndiscovery = {discovery}\n')
        self.hub = self.start(self.programs / "sos-hub", "run", "--config", self.dir / "hub.toml")

    def siren(self):
        out = self.dir / "gpio/out/17"
        return out.exists() and out.read_text().strip() == "1"

    def read(self, topic, user="homeassistant"):
        """The stored message, or nothing."""
        got = subprocess.run(
            ["mosquitto_sub", "-p", str(self.port), "-u", user, "-P", PASSWORDS[user], "-t", topic, "-C", "1", "-W", "1"],
            capture_output=True, check=False)
        return got.stdout.decode().strip()

    def state(self):
        return json.loads(self.read("sos/home/state") or "{}")

    def listen(self, topic):
        program = self.start(
            "mosquitto_sub", "-p", self.port, "-u", "homeassistant", "-P", PASSWORDS["homeassistant"], "-v", "-R", "-t",
            topic, "-d")
        wait("a subscription", lambda: "Subscribed" in program.said())
        return program

    def stop(self):
        for program in reversed(self.running):
            program.stop()


def readmes_automation():
    example = re.search(r"^# An automation.*?^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    return "".join(f"    {line}\n" for line in example[0].splitlines()[1:-1])


class HomeAssistant:
    def __init__(self, directory, command):
        self.dir, self.command, self.port, self.token, self.program = directory, command, free_port(), None, None
        self.log = directory.parent / "hass.log"
        directory.mkdir()
        (directory / "configuration.yaml").write_text(
            f"homeassistant:\n  time_zone: UTC\nhttp:\n  server_host: 127.0.0.1\n  server_port: {self.port}\n"
            "api:\nconfig:\nonboarding:\nlogger:\n  default: warning\nautomation:\n  - alias: readme\n" + readmes_automation())

    def start(self):
        self.program = Program(self.log, *self.command, "-c", self.dir)
        # Its first start installs what it needs.
        wait("Home Assistant answers", self.answers, 900)

    def answers(self):
        if self.program.process.poll() is not None:
            raise SystemExit(f"Home Assistant ended: {self.program.said()[-2000:]}")
        try:
            if not self.token:
                return self.call("/api/onboarding")
            return self.call("/api/config")["state"] == "RUNNING"
        except (urllib.error.URLError, ConnectionError, socket.timeout):
            return None

    def call(self, path, body=None, form=False):
        data = None
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            data = urllib.parse.urlencode(body).encode() if form else json.dumps(body).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"Home Assistant answers {error.code} to {path}: {error.read().decode()}") from error
        return json.loads(text) if text.startswith(("{", "[", '"')) else text

    def set_up(self, port):
        """The first user, and the MQTT integration."""
        client = f"http://127.0.0.1:{self.port}/"
        code = self.call("/api/onboarding/users", {
            "client_id": client, "name": "Ann", "username": "ann", "password": "ann-word", "language": "en"})["auth_code"]
        self.token = self.call("/auth/token", {
            "grant_type": "authorization_code", "code": code, "client_id": client}, form=True)["access_token"]
        wait("Home Assistant has started", self.answers, 900)
        flow = self.call("/api/config/config_entries/flow", {"handler": "mqtt", "show_advanced_options": False})
        # Newer ones have a folded section for what hardly anybody changes.
        folded = {
            field["name"]: {"set_client_cert": False, "set_ca_cert": "off"}
            for field in flow["data_schema"] if field.get("type") == "expandable"}
        flow = f"/api/config/config_entries/flow/{flow['flow_id']}"
        done = self.call(flow, {
            "broker": "127.0.0.1", "port": port, "username": "homeassistant", "password": PASSWORDS["homeassistant"],
            **folded})
        if done["type"] != "create_entry":
            raise SystemExit(f"Home Assistant does not take the broker: {done}")

    def states(self):
        return {state["entity_id"]: state for state in self.call("/api/states")}

    def state(self, entity):
        return self.states().get(entity, {}).get("state")

    def do(self, service, entity, **more):
        self.call(f"/api/services/{service}", {"entity_id": entity, **more})

    def template(self, text):
        return self.call("/api/template", {"template": text})

    def complaints(self):
        """What it has said of MQTT or of this hub above INFO, since its first start."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if re.search(r" (WARNING|ERROR|CRITICAL) ", line)]
        return [line for line in lines if re.search(r"mqtt|sos[_-]", line, re.IGNORECASE)]

    def stop(self):
        if self.program:
            self.program.stop()


def tell(text):
    print(f"  {text}", flush=True)


def schemas(home, python, directory):
    announced = wait("the announcement", lambda: home.read(CONFIG)).encode()
    for what, payload, is_well in (
            ("the announcement", announced, True),
            ("one with a key of its own", announced.replace(b'"model"', b'"colour":"red","model"'), False),
            ("one with a doubtful entity", announced.replace(b'"pl_prs"', b'"press"', 1), False)):
        checked = subprocess.run([*python, directory / "schemas.py"], input=payload, capture_output=True, check=False)
        said = checked.stdout.decode().strip() or checked.stderr.decode()
        assert (checked.returncode == 0) == is_well, f"{what}: {said}"
        tell(f"{what}, {len(payload)} bytes: {said}")


def story(home, ha):
    ha.start()
    ha.set_up(home.port)
    print(f"Home Assistant {ha.call('/api/config')['version']} runs", flush=True)
    here = lambda: ENTITIES <= {name for name, state in ha.states().items() if state["state"] != "unavailable"}
    wait("all entities", here)
    names = {name for name in ha.states() if "sos_home" in name}
    assert names == ENTITIES, names ^ ENTITIES
    tell(f"{len(names)} entities of one device: " + ha.template("{{ device_attr('siren.sos_home_siren', 'name') }}"))
    wait("the hub is ready", lambda: ha.state("binary_sensor.sos_home_ready") == "on")
    values = {name.partition("sos_home_")[2]: state["state"] for name, state in ha.states().items() if name in ENTITIES}
    tell(f"at rest: {values}")
    assert values["link"] == "on" and values["plan"] == "active" and values["faults"] == "off"
    assert values["phase"] == "idle" and values["siren"] == "off" and values["alarm"] == "off"

    assert ha.state("automation.readme") == "on", "the README's automation is none"

    ha.do("button/press", "button.sos_home_police")
    wait("the countdown", lambda: ha.state("sensor.sos_home_phase") == "countdown")
    wait("seconds", lambda: ha.state("sensor.sos_home_countdown") in ("4", "3", "2"))
    tell(f"police pressed: {ha.state('sensor.sos_home_countdown')} s left, {ha.state('sensor.sos_home_message')}")
    ha.do("button/press", "button.sos_home_cancel")
    wait("the end of the countdown", lambda: ha.state("sensor.sos_home_last_incident") == "police: aborted")
    wait("no seconds", lambda: ha.state("sensor.sos_home_countdown") == "0")
    assert not home.siren()
    tell("cancelled: no siren, no alarm")

    ha.do("siren/turn_on", "siren.sos_home_siren")
    wait("the countdown of the siren", lambda: ha.state("sensor.sos_home_phase") == "countdown")
    wait("the siren", lambda: ha.state("siren.sos_home_siren") == "on")
    assert home.siren()
    assert home.state()["incidents"][-1]["source"] == "home_assistant"
    ha.do("siren/turn_off", "siren.sos_home_siren")
    wait("silence", lambda: ha.state("siren.sos_home_siren") == "off")
    assert not home.siren()
    tell("siren switched on, after its countdown, and off")

    ha.do("button/press", "button.sos_home_fire")
    wait("the alarm", lambda: ha.state("binary_sensor.sos_home_alarm") == "on")
    wait("what came of it", lambda: ha.state("sensor.sos_home_last_incident") == "fire: closed")
    event = ha.states()["event.sos_home_event"]["attributes"]
    assert ha.states()["automation.readme"]["attributes"]["last_triggered"], "the README's automation does nothing"
    wait("rest", lambda: ha.state("sensor.sos_home_phase") == "idle" and not home.state()["incidents"])
    tell(f"fire: an alarm, confirmed and closed by the center; the last event was {event['event_type']}")

    before = home.state()
    heard = home.listen("#")
    ha.stop()
    ha.start()
    wait("all entities again", here)
    wait("discovery again", lambda: "sos-hub-home/config" in heard.said())
    wait("the state again", lambda: "sos/home/state" in heard.said())
    commands = [line for line in heard.said().splitlines() if re.match(r"sos/home/(request|cancel|silence|siren|test) ", line)]
    assert not commands, commands
    after = home.state()
    assert (after["phase"], after["incidents"]) == ("idle", []) and before["plan"] == after["plan"]
    assert "countdown_started" not in heard.said()
    tell("restarted: discovery and state were told again, and nothing happened in the hub")

    home.run_hub("false")
    wait("no device", lambda: not [name for name in ha.states() if "sos_home" in name])
    assert not home.read(CONFIG)
    tell("discovery switched off: the device is gone")
    home.run_hub()
    wait("the device again", here)
    tell("and on again: it is back")
    complaints = ha.complaints()
    assert not complaints, "\n".join(complaints)
    tell("no word of complaint in Home Assistant's log")


def main():
    directory, programs, venv, enter = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    home = ha = None
    try:
        home = Home(directory, programs)
        schemas(home, [*enter, f"{venv}/bin/python3"], directory)
        ha = HomeAssistant(directory / "config", [*enter, f"{venv}/bin/hass"])
        story(home, ha)
    finally:
        for started in (ha, home):
            if started:
                started.stop()


main()
