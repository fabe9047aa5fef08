import Caching
import Files
import Interpreting
import ItemWork
import Kernels
import Models
import Synchronization
import Tensors

/// Digests of the parts of an opened model folder, for the keys of what they compute: of the bytes that were
/// read and mapped when it was opened, whatever lies under their names by now.
package final class PartDigests: Sendable {
    package enum Part: String, Sendable, CaseIterable {
        case unet
        case vae
        case textEncoder = "text_encoder"
        case tokenizer
        case clip
        case scorer
        case inception
        /// No key holds its digest, as the settings themselves stand there; but a model whose scheduler was
        /// edited is opened again.
        case scheduler
    }

    private let places: [Part: String]
    /// The files in these places, in the order of their names.
    private let listing: [String: FileStamp]
    /// What was read of them.
    package let readings: [FileReading]
    private let byPath: [String: FileReading]
    /// How the weights of UNet, autoencoder and text encoder are kept, which their results depend on.
    private let precision: StoredPrecision
    /// What results of a part depend on beyond its files.
    private let remarks: [Part: String]
    private let known = Mutex<[Part: String]>([:])

    private init(
        _ places: [Part: String], _ listing: [String: FileStamp], _ readings: [FileReading],
        precision: StoredPrecision, remarks: [Part: String]
    ) {
        (self.places, self.listing, self.readings, self.precision, self.remarks) = (
            places, listing, readings, precision, remarks
        )
        byPath = Dictionary(readings.map { ($0.path, $0) }) { first, _ in first }
    }

    /// The parts of a model folder.
    package static func places(in folder: String) -> [Part: String] {
        Dictionary(uniqueKeysWithValues: Part.allCases.map { ($0, FileSystem.join(folder, $0.rawValue)) })
    }

    /// Opens what lies in these places, each a folder or a single file. Where files come, go or change
    /// meanwhile it is opened again; an error if that does not end.
    package static func opening<Opened>(
        _ places: [Part: String], precision: StoredPrecision = .float32, _ open: () throws -> Opened,
        remarks: (Opened) -> [Part: String] = { _ in [:] }
    ) throws -> (Opened, PartDigests) {
        for _ in 0..<3 {
            let before = folders(places)
            let opened = Result { try OpenedFiles.during(open) }
            // A folder's own stamp changes with its names; what was read of it must be what is there.
            let after = listing(places)
            guard before == folders(places) else { continue }
            let (result, readings) = try opened.get()
            guard readings.allSatisfy({ reading in after[reading.path].map { $0 == reading.stamp } ?? true })
            else { continue }
            for reading in readings { FileReading.witness?.note(reading, isKept: true) }
            return (
                result, PartDigests(places, after, readings, precision: precision, remarks: remarks(result))
            )
        }
        throw EngineError(
            .file, "files were changed again and again while the model was opened",
            place: places.values.sorted().first,
            cure: "load it when whatever writes there has finished")
    }

    private static func folders(_ places: [Part: String]) -> [FileStamp?] {
        Part.allCases.map { places[$0].flatMap { FileStamp(path: $0) } }
    }

    private static func listing(_ places: [Part: String]) -> [String: FileStamp] {
        var stamps: [String: FileStamp] = [:]
        // Each place has its own files, so the order of places does not matter.
        for place in places.values {
            let isFolder = FileSystem.isFolder(place)
            for path in isFolder
                ? ((try? FileSystem.list(place)) ?? []).map({ FileSystem.join(place, $0) }) : [place]
            { stamps[path] = FileStamp(path: path) }
        }
        return stamps
    }

    /// Whether the same would be opened now.
    package var isCurrent: Bool { Self.listing(places) == listing }

    /// Throws where a weight file was written over since it was opened.
    package func confirm() throws { for reading in readings { try reading.confirm() } }

    /// Opens files of these parts once more: an error where they are not those that were opened.
    package func again<R>(_ open: () throws -> R) throws -> R {
        let (result, read) = try OpenedFiles.during(open)
        for reading in read {
            if let first = byPath[reading.path], first.stamp != reading.stamp {
                throw Self.changed(reading.path)
            }
        }
        try confirm()
        return result
    }

    /// The files that a part's folder had when it was opened, in another folder.
    package func copy(_ folder: String, to target: String) throws {
        try FileSystem.createFolder(target)
        for path in names(in: folder)
        where FileSystem.isFile(path) && FileSystem.name(of: path) != FolderSeal.file {
            try copyFile(path, to: target)
        }
    }

    private func copyFile(_ path: String, to folder: String) throws {
        try FileSystem.copy(
            path, to: FileSystem.join(folder, FileSystem.name(of: path)), expecting: listing[path])
    }

    static func changed(_ path: String) -> EngineError {
        EngineError(
            .file, "is another file now than when the model was opened", place: path,
            cure: "load the model again")
    }

    /// Of the configuration and the weights in use.
    package func digest(of part: Part, _ files: FileDigests) throws -> String {
        if let digest = known.withLock({ $0[part] }) { return digest }
        var lines = try paths(of: part).map { "\(FileSystem.name(of: $0)) \(try self.digest(of: $0, files))" }
        if precision != .float32, [.unet, .vae, .textEncoder].contains(part) {
            lines.append(precision.rawValue)
        }
        if let remark = remarks[part] { lines.append(remark) }
        let digest = try Digest.sha256(lines.joined(separator: "\n"))
        known.withLock { $0[part] = digest }
        return digest
    }

    /// Where what these parts compute is kept; nil where nothing is cached.
    package func store(_ cache: ItemCache?, verb: String, version: Int = 1, _ parts: [Part]) throws
        -> ItemStore?
    {
        guard let cache else { return nil }
        var base = ItemKeyBuilder(verb: verb, version: version)
        for part in parts { base.add(part.rawValue, try digest(of: part, cache.files)) }
        return ItemStore(cache, base: base, confirm: confirm)
    }

    /// Of a file of the model's folder, as it was opened or, outside of the parts, as it is.
    package func digest(ofAny path: String, _ files: FileDigests) throws -> String {
        try listing[path] == nil ? files.digest(of: path) : digest(of: path, files)
    }

    /// Of one file in these places.
    private func digest(of path: String, _ files: FileDigests) throws -> String {
        if let reading = byPath[path] { return try files.digest(of: reading) }
        // Nobody read it; it counts as it was found.
        guard let stamp = listing[path], stamp == FileStamp(path: path) else { throw Self.changed(path) }
        let digest = try files.digest(of: path)
        guard stamp == FileStamp(path: path) else { throw Self.changed(path) }
        return digest
    }

    /// A part's settings and vocabulary are all small files in it; of weights, which may lie there in several
    /// precisions, only those read.
    private func paths(of part: Part) throws -> [String] {
        guard let inner = places[part] else { return [] }
        if listing[inner] != nil { return [inner] }
        let found = names(in: inner)
        let small = found.filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }
        guard part != .tokenizer else { return small }
        var weights: [String] = []
        for path in readings.map(\.path)
        where WeightFile.isNamedSo(path) && found.contains(path) && !weights.contains(path) {
            weights.append(path)
        }
        guard !weights.isEmpty else { throw Self.changed(inner) }
        return small + weights
    }

    /// Of a file in these places, when it was opened.
    package func stamp(of path: String) -> FileStamp? { listing[path] }

    /// Paths of the files that a part's folder had when it was opened, in the order of their names.
    func names(in folder: String) -> [String] {
        listing.keys.filter { FileSystem.folder(of: $0) == folder }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
    }
}

extension LoadedModel {
    /// Where what a verb computes with these parts is kept; nil where nothing is cached.
    package func store(for invocation: Invocation, _ parts: [PartDigests.Part]) throws -> ItemStore? {
        try digests.store(
            invocation.session.cache, verb: invocation.verb.name, version: invocation.verb.version, parts)
    }
}
