"""Listeners, TLS, SASL and the authorizer from every place, in headrace's names and in Kafka's."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from broker import Broker, BrokerOptions, Listener, OAuth, Sasl, Tls
from broker.settings import Given, SettingError, resolve
from broker.settings.given import from_assignments, from_environment, from_properties, from_table

PEM = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n".format("\n".join(["A" * 64, "B" * 20]))
PASSWORD = "hunter2"


def table(text: str) -> list[Given]:
    return list(from_table(tomllib.loads(text), Path("/etc/headrace.toml")))


def properties(tmp_path: Path, text: str) -> list[Given]:
    file = tmp_path / "server.properties"
    file.write_text(text)
    return list(from_properties(file))


# -- tables ------------------------------------------------------------------------------------------------------------
def test_tables_become_listeners_tls_and_sasl() -> None:
    found = resolve(
        [
            table("""
                authorizer = true
                super_users = ["User:admin"]
                [[listeners]]
                port = 9092
                [[listeners]]
                name = "OUTSIDE"
                host = "0.0.0.0"
                port = 9093
                protocol = "SASL_SSL"
                advertised_host = "log.example.org"
                sasl.mechanisms = ["PLAIN"]
                sasl.users = { bob = "b" }
                tls.certificate = "outside.pem"
                [tls]
                certificate = "server.pem"
                key = "~/server.key"
                principal_mapping_rules = ["RULE:^CN=(.*?),.*$/$1/L", "DEFAULT"]
                [sasl]
                mechanisms = ["SCRAM-SHA-512", "OAUTHBEARER"]
                users = { admin = "x, = y", "a.b" = "c" }
                [sasl.oauth]
                jwks = "https://example.org/jwks"
                audience = ["kafka"]
            """)
        ]
    ).options
    assert found.listeners == (
        Listener(port=9092),
        Listener(
            name="OUTSIDE",
            host="0.0.0.0",
            port=9093,
            protocol="SASL_SSL",
            advertised_host="log.example.org",
            tls=Tls(certificate=Path("/etc/outside.pem")),
            sasl=Sasl(mechanisms=("PLAIN",), users={"bob": "b"}),
        ),
    )
    assert found.tls == Tls(
        certificate=Path("/etc/server.pem"),
        key=Path("~/server.key").expanduser(),
        principal_mapping_rules=("RULE:^CN=(.*?),.*$/$1/L", "DEFAULT"),
    )
    assert found.sasl == Sasl(
        mechanisms=("SCRAM-SHA-512", "OAUTHBEARER"),
        users={"admin": "x, = y", "a.b": "c"},
        oauth=OAuth(jwks="https://example.org/jwks", audience=("kafka",)),
    )
    assert (found.authorizer, found.super_users) == (True, ("User:admin",))


def test_places_come_together_within_a_table() -> None:
    """The secret from the environment, the rest from the file."""
    found = resolve(
        [
            from_environment({"HEADRACE_BROKER_TLS_KEY_PASSWORD": PASSWORD, "HEADRACE_BROKER_SASL_USERS": "ann=a"}),
            table('tls.certificate = "c.pem"\nsasl.max_reauth_ms = 5'),
        ]
    )
    assert found.options.tls == Tls(certificate=Path("/etc/c.pem"), key_password=PASSWORD)
    assert found.options.sasl == Sasl(users={"ann": "a"}, max_reauth_ms=5)
    assert found.places["tls.key_password"] == "HEADRACE_BROKER_TLS_KEY_PASSWORD"
    assert found.places["tls.certificate"] == "/etc/headrace.toml"


def test_python_settings_take_tables_too() -> None:
    broker = Broker(config={"sasl": {"users": {"ann": "a"}}}, options=BrokerOptions(sasl=Sasl(max_reauth_ms=7)))
    assert broker.options.sasl == Sasl(users={"ann": "a"}, max_reauth_ms=7)


# -- Kafka's names -----------------------------------------------------------------------------------------------------
def test_kafkas_properties_secure_the_broker(tmp_path: Path) -> None:
    one_line = PEM.replace("\n", " ")
    found = resolve(
        [
            properties(
                tmp_path,
                rf"""
                listeners=EXTERNAL://:9093,INTERNAL://127.0.0.1:9092,CONTROLLER://:9094
                controller.listener.names=CONTROLLER
                advertised.listeners=EXTERNAL://log.example.org:19093,CONTROLLER://a:1
                listener.security.protocol.map=EXTERNAL:SASL_SSL,INTERNAL:plaintext,CONTROLLER:PLAINTEXT
                inter.broker.listener.name=INTERNAL
                ssl.keystore.type=PEM
                ssl.keystore.location=/etc/kafka/server.pem
                ssl.truststore.type=PEM
                ssl.truststore.location=/etc/kafka/clients.pem
                ssl.key.password={PASSWORD}
                ssl.client.auth=requested
                ssl.endpoint.identification.algorithm=
                ssl.enabled.protocols=TLSv1.2,TLSv1.3
                ssl.principal.mapping.rules=RULE:^CN=(.*?),OU=(.*?)$/$1,$2/L, RULE:^CN=([^,]+)$/$1/, DEFAULT
                sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
                sasl.mechanism.inter.broker.protocol=PLAIN
                connections.max.reauth.ms=3600000
                sasl.oauthbearer.jwks.endpoint.url=https://example.org/jwks
                sasl.oauthbearer.clock.skew.seconds=12
                sasl.oauthbearer.expected.audience=kafka,other
                listener.name.external.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
                    required username="broker" password="x" user_admin="{PASSWORD}" user_bob='it;s "b"';
                listener.name.external.scram-sha-512.sasl.jaas.config=a.ScramLoginModule required;
                listener.name.internal.ssl.keystore.key={one_line}
                listener.name.controller.sasl.enabled.mechanisms=PLAIN
                authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
                super.users=User:admin;User:CN=ops,OU=it
                allow.everyone.if.no.acl.found=true
                """,
            )
        ]
    )
    options = found.options
    external, internal = options.listeners
    assert options.tls is not None
    assert options.sasl is not None
    assert (external.title, external.host, external.port, external.protocol) == (
        "EXTERNAL",
        "0.0.0.0",
        9093,
        "SASL_SSL",
    )
    assert (external.advertised_host, external.advertised_port) == ("log.example.org", 19093)
    assert (internal.title, internal.host, internal.protocol) == ("INTERNAL", "127.0.0.1", "PLAINTEXT")
    assert options.tls == Tls(
        certificate=Path("/etc/kafka/server.pem"),
        key_password=PASSWORD,
        client_authorities=Path("/etc/kafka/clients.pem"),
        client_authentication="requested",
        principal_mapping_rules=("RULE:^CN=(.*?),OU=(.*?)$/$1,$2/L", "RULE:^CN=([^,]+)$/$1/", "DEFAULT"),
    )
    assert options.sasl == Sasl(
        mechanisms=("PLAIN", "SCRAM-SHA-512"),
        max_reauth_ms=3_600_000,
        oauth=OAuth(jwks="https://example.org/jwks", clock_skew_ms=12_000, audience=("kafka", "other")),
    )
    assert external.sasl is not None
    assert external.sasl.users == {"admin": PASSWORD, "bob": 'it;s "b"'}
    assert external.sasl.mechanisms == ("PLAIN", "SCRAM-SHA-512")
    assert internal.tls is not None
    assert internal.tls.key == PEM
    assert options.authorizer
    assert options.super_users == ("User:admin", "User:CN=ops,OU=it")
    assert options.allow_everyone_if_no_acl_found
    assert any("listener.name.controller" in note for note in found.notes)
    shown = "\n".join(origin.value for origin in found.origins())
    assert PASSWORD not in shown
    assert "A" * 64 not in shown


def test_kafkas_names_are_taken_from_the_environment() -> None:
    own = "HEADRACE_BROKER_LISTENER_NAME_IN_SIDE"
    options = resolve(
        [
            from_environment(
                {
                    "HEADRACE_BROKER_LISTENERS": "IN_SIDE://127.0.0.1:1",
                    "HEADRACE_BROKER_LISTENER_SECURITY_PROTOCOL_MAP": "IN_SIDE:SASL_PLAINTEXT",
                    f"{own}_PLAIN_SASL_JAAS_CONFIG": "PlainLoginModule required user_a=b;",
                    "HEADRACE_BROKER_SSL_KEYSTORE_LOCATION": "c.pem",
                    "HEADRACE_BROKER_AUTHORIZER_CLASS_NAME": "",
                }
            )
        ]
    ).options
    (listener,) = options.listeners
    assert (listener.title, listener.protocol, listener.sasl) == ("IN_SIDE", "SASL_PLAINTEXT", Sasl(users={"a": "b"}))
    assert options.tls == Tls(certificate=Path("c.pem"))
    assert not options.authorizer


def test_switches_that_are_off_do_not_secure_anything(tmp_path: Path) -> None:
    found = resolve([properties(tmp_path, "ssl.client.auth=none\nconnections.max.reauth.ms=0\n")])
    assert (found.options.tls, found.options.sasl) == (None, None)


def test_shown_listeners_can_be_given_back() -> None:
    listeners = "EXTERNAL://0.0.0.0:9093,PLAINTEXT://[::1]:9092"
    told = [
        Given("listeners", listeners, "a"),
        Given("listener.security.protocol.map", "EXTERNAL:SASL_SSL", "a"),
        Given("advertised.listeners", "EXTERNAL://example.org:1", "a"),
    ]
    found = resolve([told])
    again = [Given(one.name, one.value, "b") for one in found.origins() if "listeners" in one.name or "map" in one.name]
    assert resolve([again]).options.listeners == found.options.listeners
    assert len(found.options.listeners) == 2


# -- refusals ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("place", "problem"),
    [
        (table("tls.certifcate = 'x'"), "/etc/headrace.toml: tls.certifcate: there is no such setting; did you mean "
         "tls.certificate?"),
        (table("[[listeners]]\nport = 1\n[[listeners]]\nname = 'B'\nprotcol = 'SSL'"), "/etc/headrace.toml: "
         "listeners: number 2 (B) has no protcol; did you mean protocol?"),
        (table("[[listeners]]\nprotocol = 'TLS'"), "number 1 (TLS), protocol: 'TLS' does not fit; expected PLAIN"),
        (table("[[listeners]]\nport = 70000"), "number 1, port: 70000 does not fit; expected a whole number from 0"),
        (table("[[listeners]]\ntls.key = 'k'"), "number 1: tls.certificate is missing"),
        (table("tls.key = 'k'"), "tls.key (/etc/headrace.toml) is nothing without tls.certificate; set tls.certificate "
         "(--tls-certificate, HEADRACE_BROKER_TLS_CERTIFICATE)"),
        (table("port = 1\n[[listeners]]\nport = 2"), "port (/etc/headrace.toml) counts for nothing beside listeners"),
        (table("sasl.mechanisms = ['GSSAPI']"), "Kerberos is not spoken here"),
        (list(from_environment({"HEADRACE_BROKER_TLS_CERTIFCATE": "x"})), "did you mean "
         "HEADRACE_BROKER_TLS_CERTIFICATE?"),
        (list(from_assignments(["listeners=OUTSIDE://a:1"])), "OUTSIDE has no protocol; set "
         "listener.security.protocol.map=OUTSIDE:SASL_SSL"),
        (list(from_assignments(["ssl.keystore.type=JKS"])), "stores must be PEM: openssl pkcs12"),
        (list(from_assignments(["ssl.keystore.location=a.jks"])), "stores must be PEM: openssl pkcs12"),
        (list(from_assignments(["ssl.truststore.location=a.p12"])), "stores must be PEM: keytool -list -rfc"),
        (list(from_assignments(["ssl.keystore.password=x"])), "ssl.key.password"),
        (list(from_assignments(["ssl.enabled.protocols=TLSv1.1"])), "TLS 1.2 and 1.3 are spoken, no others"),
        (list(from_assignments(["sasl.kerberos.service.name=kafka"])), "Kerberos is not spoken here"),
        (list(from_assignments(["authorizer.class.name=org.example.Mine"])), "expected org.apache.kafka.metadata."
         "authorizer.StandardAuthorizer"),
        (list(from_assignments(["principal.builder.class=org.example.Mine"])), "classes of Java cannot be loaded"),
        (list(from_assignments(["advertised.listeners=A://a:1", "listeners=SSL://a:1"])), "there is no listener A; "
         "there are SSL"),
        (list(from_assignments(["listener.name.b.ssl.client.auth=none", "listeners=SSL://a:1"])), "there is no such "
         "listener; listeners are SSL"),
        (list(from_assignments(["listener.name.ssl.num.partitions=1", "listeners=SSL://a:1"])), "num.partitions is no "
         "setting of single listeners"),
    ],
)  # fmt: skip
def test_security_that_is_none_is_named_with_place_and_cure(place: list[Given], problem: str) -> None:
    with pytest.raises(SettingError) as raised:
        resolve([place])
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    "assignment",
    [
        f"sasl.users=ann={PASSWORD}",
        f"tls.key_password={PASSWORD}",
        f"ssl.keystore.key=-----BEGIN {PASSWORD}",
        f"listener.name.ssl.plain.sasl.jaas.config=PlainLoginModule required user_a={PASSWORD};",
    ],
)
def test_secret_on_a_command_line_is_refused_and_not_repeated(assignment: str) -> None:
    with pytest.raises(SettingError, match="whoever lists the processes would see it") as raised:
        resolve([from_assignments([assignment, "listeners=SSL://a:1"])])
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize(
    "place",
    [
        table(f"[[listeners]]\nsasl.users = '{PASSWORD}'"),
        table(f"sasl.users = '{PASSWORD}'"),
        table(f"tls.key_password = ['{PASSWORD}']"),
        [
            Given("listener.name.ssl.plain.sasl.jaas.config", f"PlainLoginModule required user_a={PASSWORD}", "f"),
            Given("listeners", "SSL://a:1", "f"),
        ],
    ],
)
def test_malformed_secret_is_not_repeated(place: list[Given]) -> None:
    with pytest.raises(SettingError) as raised:
        resolve([place])
    assert PASSWORD not in str(raised.value)
