internal import Files
package import Tensors

/// All that a training needs to go on as if nothing had happened, in one safetensors file: weights, moments,
/// averages, the best weights so far, and as metadata the counters and the curve. Written to a temporary name
/// and renamed: a kill leaves the one before.
package struct Checkpoint {
    /// What of the training is not tensors.
    struct Progress: Codable {
        /// Digest of all that the training depends on.
        var key: String
        var step = 0
        /// Steps in all; nil while a budget in minutes has not been made into steps.
        var total: Int?
        /// Of the steps since the curve's last point.
        var lossSum = 0.0
        var lossCount = 0
        var lossOfFirstStep: Double?
        /// Spent on steps so far.
        var seconds = 0.0
        var curve: [TrainingCurve.Point] = []
        var best: Best?
        var isFinished = false

        /// Whether its numbers are such that the training can count on with them.
        fileprivate var isPlausible: Bool {
            let counts = 0...1_000_000_000,
                known = curve.map(\.step) + [step, lossCount, total ?? 0, best?.step ?? 0]
            return known.allSatisfy(counts.contains) && (0...1e9).contains(seconds)
                && (-1...1_000).contains(best?.candidate ?? 0)
        }
    }

    /// Which weights are the best so far.
    struct Best: Codable {
        var step: Int
        var loss: Double
        /// Index of the average, -1 for the weights themselves.
        var candidate: Int
    }

    static let version = "noisebook training 2"

    /// Stores groups of tensors, each under its name and the parameters' names.
    static func write(
        _ progress: Progress, _ groups: [String: [Tensor]], names: [String], _ signer: Signer?,
        to path: String
    ) throws {
        var contents: [String: Tensor] = [:]
        // From dictionary to dictionary; the file sorts its names.
        for (group, tensors) in groups {
            for (name, tensor) in zip(names, tensors) { contents["\(group)/\(name)"] = tensor }
        }
        let folder = FileSystem.folder(of: path)
        try FileSystem.createFolder(folder)
        let text = try JSON.encode(progress)
        let digest = try digest(text, contents)
        var metadata = ["format": version, "progress": text, "sha256": digest]
        if let signer { metadata["signature"] = try signer.signature(of: signed(digest)) }
        try Safetensors.write(contents, metadata: metadata, to: path)
    }

    /// The digest is of the key, too.
    private static func signed(_ digest: String) -> String { "checkpoint \(digest)" }

    /// Of all that a training goes on from: a flipped bit in a moment would be no error to anybody else.
    package static func digest(_ progress: String, _ contents: [String: Tensor]) throws -> String {
        var stream = try Digest.Stream()
        try stream.add(progress)
        for (name, tensor) in contents.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            try stream.add("\n\(name) \(tensor.shape)\n")
            try tensor.withUnsafePointer {
                try stream.add(
                    UnsafeRawBufferPointer(start: $0, count: tensor.count * MemoryLayout<Float>.stride))
            }
        }
        return try stream.digest()
    }

    /// The counters of a stored training and its tensors by group; nil if there is none. Throws where the
    /// file is damaged, of another training or, with a signer, of another user.
    static func read(
        _ path: String, key: String, names: [String], shapes: [[Int]], _ signer: Signer?
    ) throws -> (progress: Progress, groups: [String: [Tensor]])? {
        guard FileSystem.exists(path) else { return nil }
        let file = try SafetensorsFile(path: path)
        func unusable(_ message: String) -> EngineError {
            EngineError(.format, message, place: path, cure: "delete it to begin anew")
        }
        guard file.metadata["format"] == version, let text = file.metadata["progress"] else {
            throw unusable("not a checkpoint of this version")
        }
        let progress = try JSON.decode(Progress.self, from: Array(text.utf8), place: path)
        guard progress.isPlausible else { throw unusable("counts steps or seconds that no training has") }
        guard progress.key == key else {
            throw unusable("a checkpoint of another training: the network, the data or the options differ")
        }
        var contents: [String: Tensor] = [:]
        for name in file.names { contents[name] = try file.tensor(name) }
        let digest = try digest(text, contents)
        guard file.metadata["sha256"] == digest else {
            throw unusable("holds other numbers than were written")
        }
        switch try signer?.origin(of: file.metadata["signature"] ?? "", for: signed(digest)) {
        case nil, .own: break
        case .other:
            if signer?.trustsOthers == false {
                throw unusable("was written by another user; --trust-cache takes it")
            }
        case .damaged: throw unusable("does not have the signature that it was written with")
        }
        var groups: [String: [Tensor]] = [:]
        for group in Set(file.names.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted() {
            groups[group] = try zip(names, shapes).map { name, shape in
                guard let tensor = contents["\(group)/\(name)"], tensor.shape == shape else {
                    throw unusable(
                        """
                        \(group)/\(name): expected \(shape), found \
                        \(contents["\(group)/\(name)"]?.shape.description ?? "nothing")
                        """)
                }
                return tensor
            }
        }
        return (progress, groups)
    }
}
