"""Values that nobody thought of: drawn from a chart's schema, and what helm and its templates make of them."""

from chartproof.fuzz.answers import faults, mutant_faults
from chartproof.fuzz.draws import Draw, draws, mutants
from chartproof.fuzz.own import the_users_own
from chartproof.fuzz.search import search

__all__ = ["Draw", "draws", "faults", "mutant_faults", "mutants", "search", "the_users_own"]
