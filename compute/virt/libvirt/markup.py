"""Making and reading XML: lxml's element maker with types, text that is always legal, and a parser that loads nothing else."""

import re
from collections.abc import Callable
from typing import Protocol

from lxml import etree
from lxml.builder import ElementMaker

Element = etree._Element
Malformed = etree.XMLSyntaxError

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Maker(Protocol):
    """``E.disk(child, "text", type="file")`` gives ``<disk type="file">…</disk>``."""

    def __getattr__(self, tag: str) -> Callable[..., Element]: ...


E: Maker = ElementMaker()


def maker(prefix: str, namespace: str) -> Maker:
    """Return a maker of elements in a namespace."""
    made: Maker = ElementMaker(namespace=namespace, nsmap={prefix: namespace})
    return made


def text(value: str) -> str:
    """Return the text without the characters that XML cannot hold (XML 1.0, section 2.2)."""
    return _NOT_XML.sub("\ufffd", value)


def render(root: Element) -> str:
    """Return the document, indented for people."""
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def read(document: str) -> Element:
    """Return the parsed document; nothing outside of it is ever loaded. Raises Malformed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(document.encode(), parser)
