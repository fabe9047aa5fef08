internal import Tensors

/// A file of `torch.save` with a dictionary of tensors: the zip form of torch 1.6 and later, memory mapped
/// like safetensors, and the form before (`torch/serialization.py`). Of the pickle in it only names, shapes
/// and places are taken (`Pickle`): nothing in a file is run.
///
/// Wrappers that training scripts write around the weights, and a prefix that all names share, are taken off.
package final class TorchFile: TensorSource {
    package let path: String
    package let names: [String]
    private let views: [String: TorchView]
    private let file: MappedFile

    /// Keys under which scripts keep the weights beside other things, the most telling first.
    private static let wrappers = [
        "state_dict", "model_state_dict", "ema_state_dict", "ema", "model", "module", "params", "weights",
    ]
    /// Of DataParallel and of torch.compile.
    private static let prefixes = ["module.", "_orig_mod."]

    package init(path: String) throws {
        let file = try MappedFile(path: path)
        let archive =
            try Self.isZip(file.bytes)
            ? TorchArchive(zip: file.bytes, place: path) : TorchArchive(stream: file.bytes, place: path)
        var found = try Self.tensors(archive, path)
        for prefix in Self.prefixes + Self.prefixes where found.keys.allSatisfy({ $0.hasPrefix(prefix) }) {
            found = Dictionary(
                uniqueKeysWithValues: found.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
        }
        self.path = path
        self.file = file
        views = found
        names = found.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The file as it was opened, for its digest.
    package var reading: FileReading { file.reading }

    package func entry(_ name: String) -> StoredTensor? { views[name]?.stored }

    package func withUnsafeBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
    {
        guard let view = views[name] else {
            throw EngineError(.weights, "no tensor is named \(name); there are \(names.count)", place: path)
        }
        return try withExtendedLifetime(file) {
            try view.withContiguousBytes(
                of: UnsafeRawBufferPointer(rebasing: file.bytes[view.stored.range]), body)
        }
    }

    package func dontNeed(_ name: String) { if let view = views[name] { file.dontNeed(view.stored.range) } }

    /// Whether a file begins as one of torch's does: a zip archive, or a pickle.
    package static func isOne(_ head: [UInt8]) -> Bool {
        head.starts(with: [0x50, 0x4b, 3, 4]) || head.starts(with: [0x80, 2])
    }

    private static func isZip(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: [0x50, 0x4b, 3, 4])
    }

    /// The tensors of the innermost dictionary of weights.
    private static func tensors(_ archive: TorchArchive, _ path: String) throws -> [String: TorchView] {
        let pickle = archive.pickle
        var value = pickle.root, way: [String] = []
        while true {
            guard let members = pickle.members(value) else { throw unusable(pickle, value, way, path) }
            var found: [String: TorchView] = [:]
            for (name, value) in members { found[name] = try archive.view(value, name) }
            if !found.isEmpty { return found }
            guard let inner = wrappers.lazy.compactMap({ name in members.first { $0.key == name } }).first,
                way.count < 4
            else {
                let keys = members.prefix(8).map(\.key).joined(separator: ", ")
                throw EngineError(
                    .weights, "the file holds no tensors" + (keys.isEmpty ? "" : ", but \(keys)"),
                    place: path,
                    cure: "save the weights alone: torch.save(model.state_dict(), FILE)")
            }
            way.append(inner.key)
            value = inner.value
        }
    }

    private static func unusable(_ pickle: Pickle, _ value: Pickle.Value, _ way: [String], _ path: String)
        -> EngineError
    {
        let what: String
        if let call = pickle.call(value) {
            what = """
                the file holds an object of \(call.name), which would have to be called; only tensors are \
                read, and nothing is called
                """
        } else {
            what =
                "the file holds no dictionary of tensors"
                + (way.isEmpty ? "" : " under \(way.joined(separator: "."))")
        }
        return EngineError(
            .weights, what, place: path, cure: "save the weights alone: torch.save(model.state_dict(), FILE)")
    }
}

/// A tensor as torch keeps it: a view of a storage.
struct TorchView {
    /// The bytes between its first and its last element.
    let stored: StoredTensor
    /// In elements; nil where they lie row-major without gaps.
    let strides: [Int]?

    /// The elements in row-major order: the file's own bytes, or a copy where they lie otherwise.
    func withContiguousBytes<R>(
        of bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        guard let strides else { return try body(bytes) }
        let width = stored.type.byteCount, shape = stored.shape, count = shape.reduce(1, *)
        try MemoryBudget.check(
            count * width, for: "a copy of a tensor that the file holds in another order",
            cure: "save it contiguous")
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: count * width, alignment: 16)
        defer { copy.deallocate() }
        var index = [Int](repeating: 0, count: shape.count), source = 0
        for place in 0..<count {
            for byte in 0..<width { copy[place * width + byte] = bytes[source * width + byte] }
            for axis in shape.indices.reversed() {
                index[axis] += 1
                source += strides[axis]
                if index[axis] < shape[axis] { break }
                source -= strides[axis] * shape[axis]
                index[axis] = 0
            }
        }
        return try body(UnsafeRawBufferPointer(copy))
    }
}
