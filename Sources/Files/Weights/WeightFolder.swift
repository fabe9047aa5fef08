internal import Tensors

/// A file of weights in one of the forms that are read, told by its content: endings are often wrong.
package enum WeightFile {
    /// Of the files in a model's folder that are opened as weights.
    package static let endings = [".safetensors", ".bin"]

    package static func isNamedSo(_ path: String) -> Bool { endings.contains(where: path.hasSuffix) }

    package static func open(_ path: String) throws -> any TensorSource {
        let head = try FileSystem.readPrefix(path, count: 16)
        // A safetensors file begins with a length and the header's brace behind it.
        let isSafetensors = head.count > 8 && head[8] == UInt8(ascii: "{")
        let isNamedSo = FileSystem.name(of: path).hasSuffix(".safetensors")
        return try isSafetensors || isNamedSo && !TorchFile.isOne(head)
            ? SafetensorsFile(path: path) : TorchFile(path: path)
    }
}

/// The weights of one part of a model: one file, or the shards that an index lists. Every shard is opened
/// (header only) and every listed name is looked up at once, so that what is missing is told in one message.
package final class WeightFolder: TensorSource {
    /// The single file, or the index.
    package let path: String
    package let names: [String]
    package let files: [any TensorSource]
    private let places: [String: Int]

    /// - Parameter name: of the file in its folder, or of the index of its shards.
    package init(folder: String, name: String) throws {
        let path = FileSystem.join(folder, name)
        self.path = path
        if name.hasSuffix(".json") {
            (files, places) = try Self.openShards(index: path, folder: folder)
            names = places.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } else {
            let file = try WeightFile.open(path)
            files = [file]
            names = file.names
            places = Dictionary(uniqueKeysWithValues: file.names.map { ($0, 0) })
        }
    }

    package func entry(_ name: String) -> StoredTensor? { places[name].flatMap { files[$0].entry(name) } }

    package func withUnsafeBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
    {
        guard let place = places[name] else {
            throw EngineError(.weights, "no tensor is named \(name); there are \(names.count)", place: path)
        }
        return try files[place].withUnsafeBytes(of: name, body)
    }

    package func dontNeed(_ name: String) {
        if let place = places[name] { files[place].dontNeed(name) }
    }

    /// The file that holds a tensor, for messages.
    package func file(of name: String) -> (any TensorSource)? { places[name].map { files[$0] } }

    private struct Index: Decodable { var weight_map: [String: String] }

    private static func openShards(index: String, folder: String) throws -> (
        [any TensorSource], [String: Int]
    ) {
        let map = try JSON.decode(Index.self, path: index).weight_map
        let shards = Set(map.values).sorted()
        if let outside = shards.first(where: { $0.contains("/") || $0.isEmpty || $0 == ".." || $0 == "." }) {
            throw EngineError(
                .format, "the index names a shard outside its folder: \"\(outside)\"", place: index)
        }
        let missing = shards.filter { !FileSystem.exists(FileSystem.join(folder, $0)) }
        if !missing.isEmpty {
            throw EngineError(
                .file, "missing shards: \(missing.joined(separator: ", "))", place: index,
                cure: "copy them into \(folder)")
        }
        let files = try shards.map { try WeightFile.open(FileSystem.join(folder, $0)) }
        let numbers = Dictionary(uniqueKeysWithValues: shards.enumerated().map { ($1, $0) })
        let places = map.compactMapValues { numbers[$0] }
        let absent = places.filter { files[$1].entry($0) == nil }.keys.sorted()
        if let first = absent.first {
            throw EngineError(
                .weights,
                """
                \(absent.count) tensors are not in the shard that the index names for them, the first is \
                \(first) in \(map[first] ?? "")
                """,
                place: index)
        }
        return (files, places)
    }
}
