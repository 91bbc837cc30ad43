"""Each code of a validation has a section of its own in the documentation."""

from __future__ import annotations

import re

from gnode_orm.files.validation import REFUSALS, RULES
from tests.docs.pages import ROOT
from tests.docs.validation_page import GROUPS, PAGE, page

OUR_MODULES = {f"gnode_orm.files.validation.{module}" for module in GROUPS}


def test_page_of_codes_is_that_of_the_rules() -> None:
    """Written by ``python -m tests.docs.validation_page``."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_each_code_that_the_package_gives_has_a_section() -> None:
    sections = set(re.findall(r"^### ([\w-]+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    codes = {rule.code for rules in RULES.values() for rule in rules if rule.check.__module__ in OUR_MODULES}
    sources = [*(ROOT / "gnode_orm/files/validation").glob("*.py"), ROOT / "gnode_orm/files/template_rules.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    codes |= set(re.findall(r'Issue\((?:ERROR|WARNING), "([\w-]+)"', text))
    codes |= set(re.findall(r'\("([\w-]+-missing)", (?:ERROR|WARNING)\)', text))
    codes |= set(REFUSALS)
    assert sections == codes


def test_each_rule_says_why_it_matters() -> None:
    silent = {rule.code for rules in RULES.values() for rule in rules if not rule.check.__doc__}
    assert silent == set()
