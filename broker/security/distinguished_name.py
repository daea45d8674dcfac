"""The subject of an X.509 certificate as Kafka names it: "CN=alice,OU=orders,O=Example\\, Inc.,C=DE".

Source: RFC 2253 as `X500Principal.getName()` of Java has it: the most special part first; attribute types without a
short name of RFC 2253 by number, their values in hex.
"""

from __future__ import annotations

from collections.abc import Iterator

SHORT_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
VERSION_TAG = 0xA0
ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
"""By DER tag: UTF8String, PrintableString, TeletexString, IA5String, UniversalString, BMPString."""
SPECIAL = ',+"\\<>;'


def subject_of(certificate: bytes) -> str:
    """The subject of a certificate in DER, one that TLS has verified. Raises ValueError if it is none."""
    try:
        (_, whole, _), *_ = elements(certificate)
        (_, signed, _), *_ = elements(whole)
        fields = list(elements(signed))
        if fields[0][0] == VERSION_TAG:
            del fields[0]
        # serial number, signature, issuer, validity, subject
        subject = fields[4][1]
        parts = [relative_name(content) for _, content, _ in elements(subject)]
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"not an X.509 certificate: {error}") from error
    return ",".join(reversed(parts))


def relative_name(content: bytes) -> str:
    """One part of a name: mostly one type and value, else several with "+" between them."""
    pairs: list[str] = []
    for _, pair, _ in elements(content):
        (_, encoded_type, _), (tag, value, whole) = elements(pair)
        number = object_identifier(encoded_type)
        name = SHORT_NAMES.get(number)
        if name is None or tag not in ENCODINGS:
            pairs.append(f"{name or number}=#{whole.hex()}")
        else:
            pairs.append(f"{name}={escaped(value.decode(ENCODINGS[tag]))}")
    return "+".join(pairs)


def escaped(value: str) -> str:
    """The value with what RFC 2253 gives a meaning behind backslashes."""
    text = "".join("\\" + letter if letter in SPECIAL else letter for letter in value)
    if text.startswith((" ", "#")):
        text = "\\" + text
    if len(text) > 1 and text.endswith(" "):
        text = text[:-1] + "\\ "
    return text


def object_identifier(content: bytes) -> str:
    """Dotted numbers; each is in base 128, and the first two share one."""
    numbers: list[int] = []
    number = 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def elements(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The DER elements in `content`: tag, content, and the whole with its head. Raises IndexError if it is cut."""
    position = 0
    while position < len(content):
        start = position
        tag, length = content[position], content[position + 1]
        position += 2
        if length >= 0x80:
            size = length & 0x7F
            length = int.from_bytes(content[position : position + size], "big")
            position += size
        end = position + length
        if end > len(content):
            raise IndexError("an element is longer than what holds it")
        yield tag, content[position:end], content[start:end]
        position = end
