import Files
import Kernels
import Synchronization
import Tensors

/// Hands a network its parameters by name while it is being built, from headers only, and keeps account: at
/// the end every missing and misshapen name is told at once, and what nobody asked for is handed back. Values
/// are read when they are first used.
package final class WeightReader {
    private let source: any TensorSource
    private let alternatives: (String) -> [String]
    private var asked: Set<String> = []
    private var problems: [String] = []
    /// What a network asked for, in its order; kept by a reader without weights.
    package private(set) var requests: [(name: String, shape: [Int])] = []
    private let isListing: Bool
    private let precision: StoredPrecision

    /// - Parameters:
    ///   - precision: how the weights of products are kept once they are packed.
    ///   - alternatives: other names under which older folders hold a parameter, tried in order.
    package init(
        _ source: any TensorSource, precision: StoredPrecision = .float32,
        alternatives: @escaping (String) -> [String] = { _ in [] }
    ) {
        self.source = source
        self.precision = precision
        self.alternatives = alternatives
        isListing = false
    }

    /// A reader without weights: the network that is built with it cannot compute, and `requests` then lists
    /// its parameters.
    package init(listingFor place: String) {
        source = NoWeights(path: place)
        alternatives = { _ in [] }
        precision = .float32
        isListing = true
    }

    package var root: WeightScope { WeightScope(reader: self, prefix: "") }

    fileprivate func parameter(_ name: String, _ shape: [Int]) -> Parameter {
        if isListing {
            requests.append((name, shape))
            return Parameter(source: source, name: name, shape: shape, precision: precision)
        }
        let found = ([name] + alternatives(name)).first { source.entry($0) != nil }
        guard let found, let entry = source.entry(found) else {
            problems.append("\(name): missing, expected \(shape)")
            return Parameter(source: source, name: name, shape: shape, precision: precision)
        }
        asked.insert(found)
        // A linear layer is a 1 x 1 convolution: folders hold either form.
        if entry.shape != shape && entry.shape.trimmedOnes != shape.trimmedOnes {
            problems.append("\(found): expected \(shape), found \(entry.shape)")
        }
        return Parameter(source: source, name: found, shape: shape, precision: precision)
    }

    fileprivate func has(_ name: String) -> Bool {
        ([name] + alternatives(name)).contains { source.entry($0) != nil }
    }

    /// Throws if anything is missing or misshapen. `ignoring`: names that may be there unused.
    /// - Returns: what else is unused, which a reader should be told: the file may be of another network.
    package func finish(ignoring ignored: (String) -> Bool = { _ in false }) throws -> UnusedWeights? {
        if isListing { return nil }
        let unused = source.names.filter { !asked.contains($0) && !ignored($0) }
        guard !problems.isEmpty else {
            return unused.isEmpty ? nil : UnusedWeights(place: source.path, names: unused)
        }
        let all = problems + unused.map { "\($0): not used by this configuration" }
        let rest = all.count > 40 ? ["and \(all.count - 40) more"] : []
        throw EngineError(
            .weights,
            "\(all.count) \(all.count == 1 ? "weight does" : "weights do") not fit the configuration",
            place: source.path,
            cure: "check that config.json and the weights belong together", details: all.prefix(40) + rest)
    }

    /// Bytes of all weights that there are.
    package var byteCount: Int { source.byteCount }

    /// Number of values in all parameters that the network asked for: a sum of whole numbers, in any order.
    package var parameterCount: Int { asked.reduce(0) { $0 + (source.entry($1)?.count ?? 0) } }
}

/// Tensors of a weight file that a network has no use for.
package struct UnusedWeights: Sendable, Hashable {
    /// The file, or the index of several.
    package let place: String
    package let names: [String]

    /// "2 tensors of unet/model.safetensors are not used by its configuration: a, b".
    package var text: String {
        let told =
            names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
        return """
            \(names.count) \(names.count == 1 ? "tensor" : "tensors") of \(place) \
            \(names.count == 1 ? "is" : "are") not used by its configuration: \(told)
            """
    }
}

/// Stands where no weights are.
private struct NoWeights: TensorSource {
    let path: String
    var names: [String] { [] }
    func entry(_ name: String) -> StoredTensor? { nil }
    func withUnsafeBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        throw EngineError(.weights, "no tensor is named \(name)", place: path)
    }
    func dontNeed(_ name: String) {}
}

/// A place in the tree of parameter names: `scope["down_blocks"][0]["resnets"]`.
package struct WeightScope {
    fileprivate let reader: WeightReader
    fileprivate let prefix: String

    package subscript(name: String) -> WeightScope {
        WeightScope(reader: reader, prefix: prefix.isEmpty ? name : "\(prefix).\(name)")
    }
    package subscript(index: Int) -> WeightScope { self[String(index)] }

    package func parameter(_ name: String, _ shape: [Int]) -> Parameter {
        reader.parameter(self[name].prefix, shape)
    }
    package func has(_ name: String) -> Bool { reader.has(self[name].prefix) }
}

/// One stored tensor of a known shape, read when it is needed.
package struct Parameter: Sendable {
    let source: any TensorSource
    let name: String
    package let shape: [Int]
    let precision: StoredPrecision

    /// The values as floats in the declared shape.
    /// Only called on networks whose reader has finished: then the name is there with this shape.
    /// The file's pages are let go at once: what a layer keeps is its own packed copy.
    package func load() -> Tensor {
        defer { source.dontNeed(name) }
        guard let tensor = try? source.tensor(name) else {
            preconditionFailure("\(name) vanished from \(source.path)")
        }
        return tensor.reshaped(shape)
    }

    /// Some rows of `[rows, ...]`, read from where they lie: of a table of words a prompt needs few.
    package func rows(_ rows: [Int]) -> Tensor {
        guard let tensor = try? source.rows(rows, of: name) else {
            preconditionFailure("\(name) vanished from \(source.path)")
        }
        return tensor
    }

    /// The values in row-major order: straight from the file where it holds aligned floats, else through
    /// `load()`.
    /// - Parameter lettingGo: of the file's pages afterwards, as what is packed has no more use for them.
    func withValues<R>(lettingGo: Bool, _ body: (UnsafePointer<Float>) -> R) -> R {
        guard let entry = source.entry(name), entry.type == .float32 else {
            return load().withUnsafePointer(body)
        }
        // To let go of a layer's pages takes 30 us, in which all threads would wait.
        defer { if lettingGo { ThreadPool.shared.later { [source, name] in source.dontNeed(name) } } }
        let direct = try? source.withUnsafeBytes(of: name) { bytes -> R? in
            guard let start = bytes.baseAddress, Int(bitPattern: start) % MemoryLayout<Float>.alignment == 0
            else { return nil }
            return body(start.assumingMemoryBound(to: Float.self))
        }
        return (direct ?? nil) ?? load().withUnsafePointer(body)
    }
}

/// A value that is made when it is first asked for, once.
package final class Lazy<Value: Sendable>: Sendable {
    private let made = Mutex<Value?>(nil)
    private let make: @Sendable () -> Value

    package init(_ make: @escaping @Sendable () -> Value) { self.make = make }

    package var value: Value {
        made.withLock { value in
            if let value { return value }
            // It outlives the computation that first asked for it.
            let fresh = ThreadPool.$abandonment.withValue(nil) { make() }
            value = fresh
            return fresh
        }
    }
}

extension Array where Element == Int {
    /// Without the trailing axes of extent one.
    fileprivate var trimmedOnes: [Int] { Array(reversed().drop { $0 == 1 }.reversed()) }
}
