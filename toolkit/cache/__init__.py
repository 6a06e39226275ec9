"""The on-disk embedding cache: each text is embedded once, ever."""

from toolkit.cache.bundled import bundled_packs, bundled_spaces, data_root
from toolkit.cache.cache import EmbeddingCache
from toolkit.cache.claims import Claim
from toolkit.cache.export import Import, export_pack, import_pack
from toolkit.cache.folders import cache_root
from toolkit.cache.limits import parse_age, parse_size
from toolkit.cache.pack_space import PackSpace
from toolkit.cache.packs import Pack, read_pack, write_pack
from toolkit.cache.prune import Pruning
from toolkit.cache.repair import Repair
from toolkit.cache.space import Space
from toolkit.cache.verify import SpaceReport

__all__ = [
    "Claim",
    "EmbeddingCache",
    "Import",
    "Pack",
    "PackSpace",
    "Pruning",
    "Repair",
    "Space",
    "SpaceReport",
    "bundled_packs",
    "bundled_spaces",
    "cache_root",
    "data_root",
    "export_pack",
    "import_pack",
    "parse_age",
    "parse_size",
    "read_pack",
    "write_pack",
]
