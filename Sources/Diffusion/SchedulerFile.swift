package import Files
internal import Tensors

/// `scheduler_config.json` of a model folder, and what a scheduler takes from it: the rules of diffusers'
/// pipelines and of `from_config`.
///
/// StableDiffusionPipeline corrects what it opens: `steps_offset` becomes 1 and `clip_sample` false. So does
/// this, unless the file is to be taken exactly as it stands. An offset that the file leaves out is corrected
/// for the folder's own scheduler alone: `from_config` hands over what a file says, and another scheduler
/// then has its own default. Of `clip_sample` that default is left: latents are no pictures.
package struct SchedulerFile: Sendable {
    package let json: JSON
    /// The file's path, for messages.
    package let place: String
    /// Whether it is taken as it stands, without the pipeline's corrections.
    package let isExact: Bool

    package init(_ json: JSON, place: String, isExact: Bool) {
        self.json = json
        self.place = place
        self.isExact = isExact
    }

    /// The class that the file is of.
    package var className: String? { json["_class_name"]?.string }

    /// - Throws: that the folder's own scheduler is none of those that are here, and the way out.
    package func ownKind() throws -> SchedulerKind {
        let wayOut = """
            name one that takes over its settings, as in `noise of=50 scheduler=ddim`; there are \
            \(SchedulerKind.listed)
            """
        guard let className else {
            throw EngineError(
                .configuration, "_class_name is missing: which scheduler is this?", place: place, cure: wayOut
            )
        }
        guard let kind = SchedulerKind(className: className) else {
            throw EngineError(
                .unsupported, "the folder's own scheduler, \(className), is not supported", place: place,
                cure: wayOut)
        }
        return kind
    }

    /// What a scheduler of that kind reads.
    func settings(for kind: SchedulerKind) -> JSON {
        guard !isExact, let given = json.object else { return json }
        var members = given
        for change in changes(for: kind) { members[change.key] = change.value }
        return .object(members)
    }

    /// What is corrected, in words: "steps_offset 1 (the folder has 0)".
    package func corrections(for kind: SchedulerKind) -> [String] {
        guard !isExact else { return [] }
        return changes(for: kind).map { change in
            change.key == "clip_sample"
                ? "clip_sample off"
                : "\(change.key) \(change.value.text) (the folder has \(change.found?.text ?? "none"))"
        }
    }

    /// The file with what is corrected in it; nil where that is nothing. What JSON has no number for is the
    /// reference's default, and left out.
    package var corrected: JSON? {
        let kind = (try? ownKind()) ?? .ddim
        guard !isExact, !changes(for: kind).isEmpty else { return nil }
        return .object((settings(for: kind).object ?? [:]).filter { $0.value.double?.isFinite ?? true })
    }

    private func changes(for kind: SchedulerKind) -> [(key: String, value: JSON, found: JSON?)] {
        let isOwn = className == kind.className
        var changes: [(key: String, value: JSON, found: JSON?)] = []
        // What is no number stays, for the reader to complain of.
        let offset = json["steps_offset"]
        if offset.map({ $0.isNull || ($0.double.map { $0 != 1 } ?? false) }) ?? isOwn {
            changes.append(("steps_offset", 1, offset))
        }
        let clip = json["clip_sample"]
        if clip?.bool ?? (isOwn && kind.traits.clipsSample && clip?.isNull ?? true) {
            changes.append(("clip_sample", .bool(false), clip))
        }
        return changes
    }
}
