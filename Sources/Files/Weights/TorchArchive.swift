internal import Tensors

/// The pickle of a file of torch, and where the storages that it names lie in the file.
struct TorchArchive {
    let pickle: Pickle
    private let place: String
    /// By key.
    private let storages: [String: Range<Int>]

    /// The kinds of storages, which give their tensors' types.
    private static let types: [String: ElementType] = [
        "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "DoubleStorage": .float64, "LongStorage": .int64,
        "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8,
        "BoolStorage": .bool,
    ]

    // MARK: The two forms

    /// Of torch 1.6 and later: `NAME/data.pkl`, and each storage as a member `NAME/data/KEY`, stored as it
    /// is.
    init(zip bytes: UnsafeRawBufferPointer, place: String) throws {
        let members = try ZipDirectory(bytes, place: place).members
        let pickles = members.keys.filter { $0.hasSuffix("/data.pkl") }
        guard let name = pickles.first, pickles.count == 1, let member = members[name] else {
            let isScript = members.keys.contains { $0.hasSuffix("/constants.pkl") }
            throw EngineError(
                .format,
                isScript
                    ? "a TorchScript archive, which holds a program"
                    : "a ZIP archive, and not one of torch.save", place: place,
                cure: "save the weights alone: torch.save(model.state_dict(), FILE)")
        }
        let folder = name.dropLast("data.pkl".count)
        func text(_ file: String) throws -> String? {
            try members[folder + file].map {
                String(
                    decoding: try ZipArchive.content($0, of: bytes, name: file, place: place), as: UTF8.self)
            }
        }
        if members.keys.contains(folder + "constants.pkl") {
            throw EngineError(
                .format, "a TorchScript archive, which holds a program", place: place,
                cure: "save the weights alone: torch.save(model.state_dict(), FILE)")
        }
        if let order = try text("byteorder"), order != "little" { throw Self.bigEndian(place) }
        let content = try ZipArchive.content(member, of: bytes, name: name, place: place)
        pickle = try content.withUnsafeBytes { try Pickle($0, place: place) }
        var storages: [String: Range<Int>] = [:]
        for (name, member) in members where name.hasPrefix(folder + "data/") {
            guard member.method == 0, member.size == member.range.count else {
                throw EngineError(
                    .unsupported, "\(name) is packed; tensors are read as they are stored", place: place,
                    cure: "save the file again by torch.save")
            }
            storages[String(name.dropFirst(folder.count + 5))] = member.range
        }
        self.storages = storages
        self.place = place
    }

    /// Before torch 1.6: pickles of a magic number, a version, the machine, the object and the storages'
    /// keys, and then the storages.
    init(stream bytes: UnsafeRawBufferPointer, place: String) throws {
        self.place = place
        guard bytes.starts(with: [0x80]) else { throw Self.foreign(bytes, place) }
        var offset = 0
        func next() throws -> Pickle {
            let pickle = try Pickle(UnsafeRawBufferPointer(rebasing: bytes[offset...]), place: place)
            offset += pickle.byteCount
            return pickle
        }
        // The magic number has ten bytes, 0x1950a86a20f9469cfc6c.
        guard try next().root == .opaque,
            bytes.dropFirst(2).prefix(12).elementsEqual([
                0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
            ])
        else {
            throw EngineError(
                .format, "a pickle, and not one of torch.save", place: place,
                cure: "save the weights alone: torch.save(model.state_dict(), FILE)")
        }
        guard try next().root == .int(1001) else {
            throw EngineError(.unsupported, "a version of torch.save that is not known", place: place)
        }
        let machine = try next()
        if machine.members(machine.root)?.first(where: { $0.key == "little_endian" })?.value == .bool(false) {
            throw Self.bigEndian(place)
        }
        pickle = try next()
        let keys = try next()
        guard case .list(let list) = keys.root else {
            throw Self.damaged("the list of storages is missing", place)
        }
        var widths: [String: Int] = [:]
        for (key, type) in Self.named(in: pickle) { widths[key] = type.byteCount }
        var storages: [String: Range<Int>] = [:]
        for key in keys.elements(list) {
            guard case .text(let key) = key, let width = widths[key] else {
                throw Self.damaged("a storage that no tensor uses", place)
            }
            guard bytes.count - offset >= 8 else { throw Self.damaged("it ends early", place) }
            let count = Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)))
            offset += 8
            guard count >= 0, count <= (bytes.count - offset) / width else {
                throw Self.damaged("storage \(key) ends early", place)
            }
            storages[key] = offset..<(offset + count * width)
            offset += count * width
        }
        self.storages = storages
    }

    /// All storages that a pickle names, wherever they are used.
    private static func named(in pickle: Pickle) -> [(key: String, type: ElementType)] {
        pickle.persistent.compactMap { storage(pickle, $0) }
    }

    // MARK: Tensors

    /// nil for what is no tensor.
    func view(_ value: Pickle.Value, _ name: String) throws -> TorchView? {
        guard let call = pickle.call(value) else { return nil }
        switch call.name {
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
            guard let inner = call.arguments.first, inner != value else { return nil }
            // A parameter of a parameter is none.
            return pickle.call(inner)?.name == "torch._utils._rebuild_tensor_v2" ? try view(inner, name) : nil
        case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor":
            return try rebuilt(call.arguments, name)
        default:
            if call.name.hasPrefix("torch._utils._rebuild_") {
                let kind = call.name.dropFirst("torch._utils._rebuild_".count)
                throw EngineError(
                    .unsupported, "\(name): tensors of this kind (\(kind)) are not read", place: place,
                    cure: "save it as a plain tensor of floats")
            }
            return nil
        }
    }

    private func rebuilt(_ arguments: [Pickle.Value], _ name: String) throws -> TorchView {
        guard arguments.count >= 4, case .persistent(let reference) = arguments[0],
            case .int(let first) = arguments[1],
            let shape = pickle.integers(arguments[2]), let strides = pickle.integers(arguments[3]),
            shape.count == strides.count
        else { throw Self.damaged("\(name) is described in a way that torch does not use", place) }
        guard let (key, type) = Self.storage(pickle, reference) else {
            throw EngineError(
                .unsupported, "\(name): its kind of storage is not read", place: place,
                cure: "supported: " + Self.types.keys.sorted().joined(separator: ", "))
        }
        guard let storage = storages[key] else {
            throw Self.damaged("the storage \(key) of \(name) is missing", place)
        }
        guard first >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }), shape.count <= 8
        else {
            throw Self.damaged("\(name) has the shape \(shape) with strides \(strides)", place)
        }
        // From the first element to the last, none where an extent is zero.
        var span = shape.contains(0) ? 0 : 1, count = 1
        for (extent, stride) in zip(shape, strides) {
            count = MemoryBudget.product([count, extent])
            if span > 0 { span = MemoryBudget.sum(span, MemoryBudget.product([extent - 1, stride])) }
        }
        let elements = storage.count / type.byteCount
        // Where strides are zero a tensor can be larger than its storage; torch's own files of weights have
        // none such.
        guard span <= elements, first <= elements - span, count <= elements else {
            throw Self.damaged(
                """
                \(name) of shape \(shape) from element \(first) does not lie within the \(elements) elements \
                of its storage
                """, place)
        }
        let start = storage.lowerBound + first * type.byteCount
        let stored = StoredTensor(
            type: type, shape: shape, range: start..<(start + span * type.byteCount), count: count)
        return TorchView(stored: stored, strides: Self.areContiguous(strides, shape) ? nil : strides)
    }

    /// The key of a storage and its type, from ("storage", torch.FloatStorage, key, place, count).
    private static func storage(_ pickle: Pickle, _ reference: Int) -> (key: String, type: ElementType)? {
        guard case .tuple(let place)? = pickle.elements(reference).first else { return nil }
        let parts = pickle.elements(place)
        guard parts.count >= 5, parts[0] == .text("storage"), case .global(let kind) = parts[1],
            case .text(let key) = parts[2],
            kind.hasPrefix("torch."), let type = types[String(kind.dropFirst(6))]
        else { return nil }
        return (key, type)
    }

    private static func areContiguous(_ strides: [Int], _ shape: [Int]) -> Bool {
        var expected = 1
        for (extent, stride) in zip(shape, strides).reversed() {
            if extent == 1 { continue }
            if stride != expected { return shape.contains(0) }
            expected *= extent
        }
        return true
    }

    // MARK: Errors

    /// What people find under the names of weights that are none.
    private static func foreign(_ bytes: UnsafeRawBufferPointer, _ place: String) -> EngineError {
        func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
        let what: (String, cure: String) =
            if begins("version https://git-lfs") {
                ("a pointer of git-lfs instead of the file", "fetch the file: git lfs pull")
            } else if begins("<!DOCTYPE") || begins("<html") || begins("<!doctype") {
                ("a web page saved under the name of weights", "fetch the file itself, not its page")
            } else if bytes.isEmpty {
                ("an empty file", "fetch it again")
            } else if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
                ("the tar form of torch before 0.1.10", "open it with an older torch and save it again")
            } else {
                ("not a file of torch.save", "fetch it again")
            }
        return EngineError(.format, what.0, place: place, cure: what.cure)
    }

    private static func bigEndian(_ place: String) -> EngineError {
        EngineError(
            .unsupported, "written on a big-endian machine", place: place,
            cure: "load it there and save it as safetensors")
    }

    private static func damaged(_ message: String, _ place: String) -> EngineError {
        EngineError(
            .format, "not a usable file of torch.save: \(message)", place: place, cure: "fetch the file again"
        )
    }
}
