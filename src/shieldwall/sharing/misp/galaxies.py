"""MISP's galaxies: a cluster as the STIX object that it is, with its synonyms as aliases, so that names meet those of ATT&CK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shieldwall.errors import BadText
from shieldwall.sharing.stix.ids import own_id
from shieldwall.sharing.stix.instant import stix_time

_KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "ransomware": ("malware", {"is_family": True, "malware_types": ["ransomware"]}),
    "malpedia": ("malware", {"is_family": True}),
    "rat": ("malware", {"is_family": True, "malware_types": ["remote-access-trojan"]}),
    "banker": ("malware", {"is_family": True}),
    "stealer": ("malware", {"is_family": True, "malware_types": ["spyware"]}),
    "backdoor": ("malware", {"is_family": True, "malware_types": ["backdoor"]}),
    "botnet": ("malware", {"is_family": True, "malware_types": ["bot"]}),
    "cryptominers": ("malware", {"is_family": True, "malware_types": ["resource-exploitation"]}),
    "android": ("malware", {"is_family": True}),
    "mitre-malware": ("malware", {"is_family": True}),
    "exploit-kit": ("malware", {"is_family": True, "malware_types": ["exploit-kit"]}),
    "tool": ("tool", {}),
    "mitre-tool": ("tool", {}),
    "threat-actor": ("intrusion-set", {}),
    "mitre-intrusion-set": ("intrusion-set", {}),
    "microsoft-activity-group": ("intrusion-set", {}),
    "360net-threat-actor": ("intrusion-set", {}),
    "mitre-attack-pattern": ("attack-pattern", {}),
    "sector": ("identity", {"identity_class": "class"}),
    "target-information": ("location", {}),
}
"""By type of galaxy, what its clusters are; others have no place in STIX."""

_MAKER = "MISP galaxies"
_LONGEST = 10_000  # characters of a description


def is_galaxy(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a value looks like the file of a galaxy's clusters."""
    return isinstance(value, dict) and isinstance(value.get("values"), list) and isinstance(value.get("type"), str)


def galaxy_objects(galaxy: Mapping[str, Any], place: str) -> Iterator[dict[str, Any]]:
    """The clusters of a galaxy's file as objects.

    Raises:
        BadText: It is none, or of a type that has no place in STIX.
    """
    kind = galaxy.get("type")
    if not isinstance(kind, str) or kind not in _KINDS or not isinstance(galaxy.get("values"), list):
        raise BadText(f"{place}: a galaxy of type {str(kind)[:40]!r} has no place in STIX", hint=", ".join(_KINDS))
    version = galaxy.get("version")
    for number, each in enumerate(galaxy["values"], 1):
        if not isinstance(each, Mapping) or not isinstance(each.get("value"), str):
            raise BadText(f"{place}, value {number}: a cluster has a value")
        body = cluster_object(kind, each, version if isinstance(version, int) else 0)
        if body is not None:
            yield body


def cluster_object(kind: str, cluster: Mapping[str, Any], version: int = 0) -> dict[str, Any] | None:
    """A cluster as an object; None where it has no place in STIX.

    Args:
        kind: Type of its galaxy.
        cluster: The cluster.
        version: Of the galaxy; a later one makes a later version of the object.
    """
    name = cluster.get("value")
    if kind not in _KINDS or not isinstance(name, str) or not name:
        return None
    stix_type, more = _KINDS[kind]
    own = cluster.get("uuid")
    body: dict[str, Any] = {
        "type": stix_type,
        "spec_version": "2.1",
        "id": f"{stix_type}--{own}"
        if isinstance(own, str) and len(own) == 36
        else own_id(stix_type, _MAKER, kind, name),
        "created": stix_time(0),
        "modified": stix_time(max(version, 0) * 1_000_000),  # the galaxy has versions, and no times
        "name": name,
        **more,
    }
    description = cluster.get("description")
    if isinstance(description, str) and description:
        body["description"] = description[:_LONGEST]
    meta = cluster.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    synonyms = meta.get("synonyms")
    listed = [each for each in synonyms if isinstance(each, str) and each] if isinstance(synonyms, list) else []
    if listed and stix_type in ("malware", "intrusion-set", "tool", "attack-pattern"):
        body["aliases"] = list(dict.fromkeys(listed))
    external = meta.get("external_id")
    if isinstance(external, str):
        body["external_references"] = [{"source_name": "mitre-attack", "external_id": external}]
    if stix_type == "location":
        country = meta.get("iso-code")
        code = country[0] if isinstance(country, list) and country else country
        body |= {"country": code} if isinstance(code, str) and len(code) == 2 else {"region": name}
    return body
