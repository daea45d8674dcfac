"""The settings of a broker: one description of each, and where their values come from."""

from broker.settings.errors import SettingError as SettingError
from broker.settings.given import Given as Given
from broker.settings.resolution import Origin as Origin
from broker.settings.resolution import Resolved as Resolved
from broker.settings.resolution import resolve as resolve
from broker.settings.setting import SETTINGS_PREFIX as SETTINGS_PREFIX
from broker.settings.setting import Setting as Setting
from broker.settings.setting import settings as settings
