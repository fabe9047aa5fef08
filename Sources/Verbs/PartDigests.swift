import Caching
import Files
import Kernels
import Models
import Synchronization
import Tensors

/// Digests of the parts of an opened model folder, for the keys of what they compute. Weights are read as late as possible, so the files
/// are stamped when the model is opened: of a part whose files were changed since, no digest is given and nothing is cached.
final class PartDigests: Sendable {
    enum Part: String, Sendable, CaseIterable {
        case unet
        case vae
        case textEncoder = "text_encoder"
        case tokenizer
        case clip
        case scorer
        case inception
    }

    private let places: [Part: String]
    private let stamps: [String: FileStamp]
    /// How the weights of UNet, autoencoder and text encoder are kept, which their results depend on.
    private let precision: StoredPrecision
    private let known = Mutex<[Part: String]>([:])

    /// The parts of a model folder.
    convenience init(folder: String, precision: StoredPrecision = .float32) {
        self.init(Dictionary(uniqueKeysWithValues: Part.allCases.map { ($0, FileSystem.join(folder, $0.rawValue)) }), precision: precision)
    }

    /// Parts that lie anywhere, each a folder or a single file.
    init(_ places: [Part: String], precision: StoredPrecision = .float32) {
        self.places = places
        self.precision = precision
        var stamps: [String: FileStamp] = [:]
        for place in places.values {
            let isFolder = FileSystem.isFolder(place)
            for path in isFolder ? ((try? FileSystem.list(place)) ?? []).map({ FileSystem.join(place, $0) }) : [place] { stamps[path] = FileStamp(path: path) }
        }
        self.stamps = stamps
    }

    /// Of the configuration and the weights in use; nil where the files are not those that were opened.
    func digest(of part: Part, _ files: FileDigests) throws -> String? {
        if let digest = known.withLock({ $0[part] }) { return digest }
        let paths = try paths(of: part)
        var lines: [String] = []
        for path in paths {
            guard let stamp = stamps[path], stamp == FileStamp(path: path) else { return nil }
            lines.append("\(FileSystem.name(of: path)) \(try files.digest(of: path))")
            guard stamp == FileStamp(path: path) else { return nil }
        }
        if precision != .float32, [.unet, .vae, .textEncoder].contains(part) { lines.append(precision.rawValue) }
        let digest = try Digest.sha256(lines.joined(separator: "\n"))
        known.withLock { $0[part] = digest }
        return digest
    }

    /// A part's settings and vocabulary are all small files in it; of weights, which may lie there in several precisions, only those read.
    private func paths(of part: Part) throws -> [String] {
        guard let inner = places[part] else { return [] }
        guard FileSystem.isFolder(inner) else { return [inner] }
        let small = try FileSystem.list(inner).filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }.map { FileSystem.join(inner, $0) }
        guard part != .tokenizer else { return small }
        let weights = try WeightFiles.open(folder: inner)
        return small + weights.files.map(\.path).filter { !small.contains($0) }
    }
}
