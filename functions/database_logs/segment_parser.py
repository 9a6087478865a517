"""ParseSegment's work: a raw segment into the lake, in an order in which no reader ever sees a record twice.

The manifest says which files are about to be there; then those of older parsers go, entries of the index and the files
come, the manifest is marked complete, and search is told. Each step is harmless when it is done again. A version that
finds a newer one in the manifest takes back what it wrote: a worker that slept through a deployment leaves nothing
behind.
"""

import hashlib
from typing import TYPE_CHECKING, Final

from database_logs.contracts import SegmentCommitted, SegmentManifest
from database_logs.errors import (
    ManifestContended,
    NewerParserBusy,
    ParserVersionStale,
    SegmentDamaged,
    SegmentMissing,
)
from database_logs.lake_files import index_keys, lake_files, manifest_of
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

# A manifest and its ETag.
_Found = tuple[SegmentManifest, str]


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
            SegmentDamaged: It is not what was stored, and the lake has nothing of this version yet.
            ParserVersionStale: This version made other files of it before.
            NewerParserBusy: A newer version has begun it and is not done.
            ManifestContended: Others changed its manifest at every attempt.
        """
        found = self._manifests.read(manifest_key(segment_name(segment)))
        if found is not None and found[0].parser_version >= PARSER_VERSION and found[0].is_complete:
            self._lake.delete(found[0].replaced)
            manifest = self._checked(found)
        else:
            manifest = self._bring(segment, found)
        if not manifest.is_complete:
            raise NewerParserBusy(
                f"Parsers of version {manifest.parser_version} have begun segment {segment_name(segment)}, and these "
                f"are of version {PARSER_VERSION}. The message comes again, when they will be done; if an older "
                "version was deployed meanwhile, deploy the newer one again."
            )
        if self._search is not None and segment.forward:
            self._search.send(manifest.parsed)
        return manifest

    def _checked(self, found: _Found) -> SegmentManifest:
        """Return the manifest of a segment that is in the lake, with what is wrong with its raw segment by now."""
        try:
            self._read(found[0].segment)
        except SegmentMissing:
            # Raw segments expire, records do not.
            return found[0]
        except SegmentDamaged as error:
            return self._note(found, str(error))
        return self._note(found, None)

    def _note(self, found: _Found, damage: str | None) -> SegmentManifest:
        manifest, _ = found
        if manifest.damaged != damage:
            manifest, _ = self._change(manifest.model_copy(update={"damaged": damage}), found, is_complete=False)
        return manifest

    def _read(self, segment: SegmentCommitted) -> bytes:
        """Return the bytes of a raw segment, which are those that were stored.

        Raises:
            SegmentMissing: There is none.
            SegmentDamaged: They are others.
        """
        data = self._raw.read(segment.key)
        found, wanted = hashlib.sha256(data).hexdigest(), segment.sha256
        if len(data) != segment.end - segment.start or found != (wanted or found):
            raise SegmentDamaged(
                f"The raw segment {segment.key} holds {len(data)} bytes with SHA-256 {found}, and "
                f"{segment.end - segment.start} with {wanted or 'one that nobody kept'} were stored: somebody has "
                "replaced it. Replay it from RDS, or restore an earlier version of the object."
            )
        return data

    def _bring(self, segment: SegmentCommitted, found: _Found | None) -> SegmentManifest:
        try:
            data = self._read(segment)
        except SegmentDamaged as error:
            if found is not None:
                self._note(found, str(error))
            raise
        records = parse(segment_of(segment), data)
        files = lake_files(segment, records)
        wanted = manifest_of(segment, records, files)
        begun = self._change(wanted, found, is_complete=False)
        planned, _ = begun
        if planned.parser_version > PARSER_VERSION:
            return planned
        self._lake.delete(planned.replaced)
        # An entry too many, of times that an older version read, costs a replay one manifest that it does not need.
        self._lake.mark(index_keys(segment, records))
        for file in files:
            self._lake.put(file.described.key, file.body)
        manifest, _ = self._change(wanted, begun, is_complete=True)
        if manifest.parser_version > PARSER_VERSION:
            self._lake.delete([file.described.key for file in files])
        return manifest

    def _change(self, wanted: SegmentManifest, found: _Found | None, *, is_complete: bool) -> _Found:
        """Put the manifest unless a newer version did, and return the one that stands.

        Args:
            wanted: The manifest.
            found: As it was read or written before, which may be a while ago: a change is on condition of that, and
                that there is nothing to change is believed of a look of now alone.
            is_complete: What becomes of it.
        """
        key = manifest_key(segment_name(wanted.segment))
        for attempt in range(_ATTEMPTS):
            if found is not None and found[0].parser_version > wanted.parser_version:
                return found
            standing, etag = found or (None, None)
            new = _next(standing, wanted, is_complete=is_complete)
            if found is None or new != standing:
                if (written := self._manifests.write(key, new, etag)) is not None:
                    return new, written
            elif attempt:
                return found
            found = self._manifests.read(key)
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
        return standing.model_copy(
            update={"is_complete": is_complete or standing.is_complete, "damaged": wanted.damaged}
        )
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
