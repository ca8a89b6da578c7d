"""An endpoint whose behaviour is known beforehand, to show that what measures it measures right."""

from __future__ import annotations

from wending.assess.scripted.process import ScriptedProcess
from wending.assess.scripted.script import Script, ScriptError, load_script
from wending.assess.scripted.server import ScriptedServer

__all__ = ["Script", "ScriptError", "ScriptedProcess", "ScriptedServer", "load_script"]
