"""An SMSC on loopback that speaks real SMPP 3.4: for the demonstration, the tests, and customers' own CI (docs/simulator.md)."""

from carillon.carriers.simulator.handsets import Power
from carillon.carriers.simulator.options import SimulatorOptions
from carillon.carriers.simulator.server import Simulator, serve

__all__ = ["Power", "Simulator", "SimulatorOptions", "serve"]
