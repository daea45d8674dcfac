"""Where settings come from, and what they are: arguments, then the environment, then a file, then defaults."""

from streams.settings.application import AppSettings, FailureHandler, Optimization, application_settings
from streams.settings.client_properties import masked, without_security
from streams.settings.file import SettingsFile, find_settings_file
from streams.settings.origin import Setting, settings_with_origins, unknown_variables

__all__ = [
    "AppSettings",
    "FailureHandler",
    "Optimization",
    "Setting",
    "SettingsFile",
    "application_settings",
    "find_settings_file",
    "masked",
    "settings_with_origins",
    "unknown_variables",
    "without_security",
]
