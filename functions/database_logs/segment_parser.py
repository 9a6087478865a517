"""ParseSegment's work: a raw segment into the lake, in an order in which no reader ever sees a record twice.

The manifest says which files are about to be there; then those of older parsers go, the files come, the manifest is
marked complete, and search is told. Each step is harmless when it is done again. A version that finds a newer one in
the manifest takes back what it wrote: a worker that slept through a deployment leaves nothing behind.
"""

from typing import TYPE_CHECKING, Final

from database_logs.contracts import SegmentCommitted, SegmentManifest
from database_logs.errors import ManifestContended, NewerParserBusy, ParserVersionStale
from database_logs.lake_files import lake_files, manifest_of
from database_logs.locations import manifest_key, segment_name
from database_logs.parsing.dispatch import parse
from database_logs.segments import Origin, Segment
from database_logs.version import PARSER_VERSION

if TYPE_CHECKING:
    from database_logs.adapters.lake import LakeWriter
    from database_logs.adapters.manifests import Manifests
    from database_logs.adapters.messages import Messages
    from database_logs.adapters.segments import RawSegments

_ATTEMPTS: Final = 5


class SegmentParser:
    """Parses segments.

    Args of the constructor:
        search: Where search is told of parsed segments; None where there is no search.
    """

    def __init__(
        self, raw: "RawSegments", lake: "LakeWriter", manifests: "Manifests", search: "Messages | None"
    ) -> None:
        self._raw = raw
        self._lake = lake
        self._manifests = manifests
        self._search = search

    def parse(self, segment: SegmentCommitted) -> SegmentManifest:
        """Bring a segment into the lake and tell search; one that is there already is only told once more.

        Returns:
            What the segment is in the lake now; by a newer version than this one, if that was there first.

        Raises:
            SegmentMissing: There is no raw segment.
            SegmentDamaged: It cannot be read.
            ParserVersionStale: This version made other files of it before.
            NewerParserBusy: A newer version has begun it and is not done.
            ManifestContended: Others changed its manifest at every attempt.
        """
        found = self._manifests.read(manifest_key(segment_name(segment)))
        if found is not None and found[0].parser_version >= PARSER_VERSION and found[0].is_complete:
            manifest = found[0]
            self._lake.delete(manifest.replaced)
        else:
            manifest = self._bring(segment)
        if not manifest.is_complete:
            raise NewerParserBusy(
                f"Parsers of version {manifest.parser_version} have begun segment {segment_name(segment)}, and these "
                f"are of version {PARSER_VERSION}. The message comes again, when they will be done; if an older "
                "version was deployed meanwhile, deploy the newer one again."
            )
        if self._search is not None and segment.forward:
            self._search.send(manifest.parsed)
        return manifest

    def _bring(self, segment: SegmentCommitted) -> SegmentManifest:
        records = parse(segment_of(segment), self._raw.read(segment.key))
        files = lake_files(segment, records)
        wanted = manifest_of(segment, records, files)
        planned = self._change(wanted, is_complete=False)
        if planned.parser_version > PARSER_VERSION:
            return planned
        self._lake.delete(planned.replaced)
        for file in files:
            self._lake.put(file.described.key, file.body)
        manifest = self._change(wanted, is_complete=True)
        if manifest.parser_version > PARSER_VERSION:
            self._lake.delete([file.described.key for file in files])
        return manifest

    def _change(self, wanted: SegmentManifest, *, is_complete: bool) -> SegmentManifest:
        """Put the manifest unless a newer version did, and return the one that stands."""
        key = manifest_key(segment_name(wanted.segment))
        for _ in range(_ATTEMPTS):
            found = self._manifests.read(key)
            standing, etag = found or (None, None)
            if standing is not None and standing.parser_version > PARSER_VERSION:
                return standing
            new = _next(standing, wanted, is_complete=is_complete)
            if new == standing or self._manifests.write(key, new, etag):
                return new
        raise ManifestContended(
            f"The manifest {key} was changed by others at each of {_ATTEMPTS} attempts: several functions parse this "
            "segment at the same time. The message comes again."
        )


def segment_of(committed: SegmentCommitted) -> Segment:
    """Return a segment as parsers know it."""
    file = committed.file
    return Segment(
        Origin(
            file.dbi_resource_id,
            file.instance_id,
            file.cluster_id,
            file.engine,
            file.log_type,
            file.file,
            committed.generation,
        ),
        committed.start,
        committed.end,
        prefix=committed.prefix,
        time_zone=committed.time_zone,
        truncated=committed.truncated,
        open_tail=committed.open_tail,
    )


def _next(standing: SegmentManifest | None, wanted: SegmentManifest, *, is_complete: bool) -> SegmentManifest:
    if standing is None:
        return wanted.model_copy(update={"is_complete": is_complete})
    if standing.parser_version == wanted.parser_version:
        _require_same(standing, wanted)
        return standing.model_copy(update={"is_complete": is_complete or standing.is_complete})
    # What older versions wrote stays known: one that was interrupted may yet write it.
    replaced = [*standing.replaced, *(file.key for file in standing.files)]
    return wanted.model_copy(update={"replaced": replaced, "is_complete": is_complete})


def _require_same(standing: SegmentManifest, wanted: SegmentManifest) -> None:
    if standing.files != wanted.files:
        differing = next((mine.key for mine in wanted.files if mine not in standing.files), "(fewer files than before)")
        raise ParserVersionStale(
            f"Parsers of version {wanted.parser_version} made other files of segment "
            f"{segment_name(wanted.segment)} before, the first that differs is {differing}. Something that changes "
            "bytes changed without its version: raise PARSER_VERSION, or give the segment the prefix and time zone "
            "that it had."
        )
