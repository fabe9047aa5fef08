import Caching
import Files
import Models
import Synchronization
import Tensors

/// Digests of the parts of an opened model folder, for the keys of what they compute. Weights are read as late as possible, so the files
/// are stamped when the model is opened: of a part whose files were changed since, no digest is given and nothing is cached.
final class PartDigests: Sendable {
    enum Part: String, Sendable {
        case unet
        case vae
        case textEncoder = "text_encoder"
        case tokenizer
        case clip
    }

    private let folder: String
    private let stamps: [String: FileStamp]
    private let known = Mutex<[Part: String]>([:])

    init(folder: String) {
        self.folder = folder
        var stamps: [String: FileStamp] = [:]
        for part in [Part.unet, .vae, .textEncoder, .tokenizer, .clip] {
            let inner = FileSystem.join(folder, part.rawValue)
            guard FileSystem.isFolder(inner) else { continue }
            for name in (try? FileSystem.list(inner)) ?? [] {
                let path = FileSystem.join(inner, name)
                stamps[path] = FileStamp(path: path)
            }
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
        let digest = try Digest.sha256(lines.joined(separator: "\n"))
        known.withLock { $0[part] = digest }
        return digest
    }

    /// A part's settings and vocabulary are all small files in it; of weights, which may lie there in several precisions, only those read.
    private func paths(of part: Part) throws -> [String] {
        let inner = FileSystem.join(folder, part.rawValue)
        let small = try FileSystem.list(inner).filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }.map { FileSystem.join(inner, $0) }
        guard part != .tokenizer else { return small }
        let weights = try WeightFiles.open(folder: inner)
        return small + weights.files.map(\.path).filter { !small.contains($0) }
    }
}
