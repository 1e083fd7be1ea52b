"""What a plan says of agencies and groups, held against the registry that it names."""

from collections.abc import Iterator

from schemas.lint import id_checks
from schemas.lint.diagnostics import Finding
from schemas.lint.document_tree import Node


def findings(plan: Node, registry: Node) -> Iterator[Finding]:
    """Yield every reference of *plan* that *registry* does not bear out."""
    agencies = {one["id"].text for one in registry["agencies"].each()}
    members = {one["id"].text for agency in registry["agencies"].each() for one in agency["groups"].each()}
    groups = {one["id"].text for one in registry["groups"].each()} or members
    yield from _registry(plan["registry"], registry["registry"])
    yield from id_checks.unlisted(plan["issuer"], agencies)
    for obligation in plan["obligations"].each():
        yield from id_checks.unlisted(obligation["recipient"], agencies | groups)
        for addressee in obligation["addressees"].each():
            yield from id_checks.unknown(addressee, agencies | groups, "group or agency")
            if addressee.text in groups - members:
                yield addressee.warning(f"no agency is ever a member of {addressee.text!r}; nobody owes this")


def _registry(named: Node, registry: Node) -> Iterator[Finding]:
    if named.text and registry.text and named.text != registry.text:
        yield named.finding(f"the registry beside this plan is {registry.text!r}, not {named.text!r}")
