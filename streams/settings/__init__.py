"""Where settings come from, and what they are: arguments, then the environment, then a file, then defaults."""

from streams.client_properties import masked, without_security
from streams.settings.application import AppSettings, FailureHandler, Optimization, application_settings
from streams.settings.origin import Setting, settings_with_origins, unknown_variables
from streams.settings_file import BROKER_TABLE, SettingsFile, find_settings_file, read_settings_file

__all__ = [
    "BROKER_TABLE",
    "AppSettings",
    "FailureHandler",
    "Optimization",
    "Setting",
    "SettingsFile",
    "application_settings",
    "find_settings_file",
    "masked",
    "read_settings_file",
    "settings_with_origins",
    "unknown_variables",
    "without_security",
]
