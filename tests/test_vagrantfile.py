"""The Vagrantfile, evaluated by Ruby with a stand-in for Vagrant that notes what it is told."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[1]
VAGRANTFILE = CHECKOUT / "Vagrantfile"

#: Prints all that is set or called on `config`, as [name, arguments, keywords] by path.
STAND_IN = """
require "json"
class Noted < BasicObject
  def initialize(path, notes) = (@path, @notes = path, notes)
  def method_missing(name, *arguments, **keywords, &block)
    path = [*@path, name.to_s.delete_suffix("=")]
    @notes << [path.join("."), arguments, keywords] unless arguments.empty?
    inner = ::Noted.new([*path, *arguments.first(1).grep(::String)], @notes)
    block&.call(inner)
    inner
  end
  def respond_to_missing?(*) = true
end
module Vagrant
  def self.configure(version)
    notes = [["version", [version], {}]]
    yield Noted.new([], notes)
    puts JSON.generate(notes)
  end
end
load ARGV.fetch(0)
"""

Notes = dict[str, list[tuple[list[Any], dict[str, Any]]]]


def evaluate(**environment: str) -> Notes:
    done = subprocess.run(
        ["ruby", "-W:no-experimental", "-e", STAND_IN, str(VAGRANTFILE)],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    notes: Notes = {}
    for path, arguments, keywords in json.loads(done.stdout):
        notes.setdefault(path, []).append((arguments, keywords))
    return notes


def test_it_is_ruby_without_a_warning() -> None:
    done = subprocess.run(
        ["ruby", "-wc", str(VAGRANTFILE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Syntax OK\n", "")


def test_it_is_a_debian_12_on_the_network_of_the_phones() -> None:
    notes = evaluate()
    assert notes["version"] == [(["2"], {})]
    assert notes["vm.box"] == [(["debian/bookworm64"], {})]
    assert notes["vm.network"] == [(["public_network"], {})]


@pytest.mark.parametrize("provider", ["virtualbox", "libvirt"])
def test_both_hypervisors_give_it_enough(provider: str) -> None:
    notes = evaluate()
    [([cpus], _)] = notes[f"vm.provider.{provider}.cpus"]
    [([memory], _)] = notes[f"vm.provider.{provider}.memory"]
    assert cpus == 2
    assert 2048 <= memory <= 4096
    larger = evaluate(KAI_CPUS="4", KAI_MEMORY="8192")
    assert larger[f"vm.provider.{provider}.cpus"] == [([4], {})]
    assert larger[f"vm.provider.{provider}.memory"] == [([8192], {})]


def test_the_card_can_be_chosen_for_either_hypervisor() -> None:
    [(_, card)] = evaluate(KAI_BRIDGE="enp3s0")["vm.network"]
    assert card == {"bridge": "enp3s0", "dev": "enp3s0"}  # VirtualBox's word, and libvirt's


def test_it_is_provisioned_by_the_script_from_a_copy_without_secrets() -> None:
    notes = evaluate()
    [([here, there], how)] = notes["vm.synced_folder"]
    assert (here, how["type"]) == (".", "rsync")
    assert {".git/", ".kai/", ".venv/", "kai.yaml"} <= set(how["rsync__exclude"])
    [(_, provision)] = notes["vm.provision"]
    assert provision["type"] == "shell"
    assert provision.get("privileged", True)
    script = CHECKOUT / Path(provision["inline"]).relative_to(there)
    assert os.access(script, os.X_OK)
