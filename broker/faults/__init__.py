"""Faults on demand, for those who test what their client does when a broker misbehaves."""

from broker.faults.fault import Fault as Fault
from broker.faults.fault import FaultError as FaultError
from broker.faults.faults import Faults as Faults
from broker.faults.faults import PlacedFault as PlacedFault
from broker.faults.plan import FaultPlan as FaultPlan
from broker.faults.plan import PlannedFault as PlannedFault
