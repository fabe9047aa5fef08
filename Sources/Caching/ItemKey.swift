internal import Files
internal import Kernels
package import Tensors

/// The name of a computed value: SHA-256 over all that it depends on, in 64 hexadecimal digits.
package struct ItemKey: Sendable, Hashable, CustomStringConvertible {
    package let digest: String
    package var description: String { digest }

    /// A key that belongs to this one: the same item after another number of calls, say.
    package func derived(_ label: String, _ number: Int = 0) throws -> ItemKey {
        ItemKey(digest: try Digest.sha256("\(digest) \(label) \(number)"))
    }
}

/// Gathers what a value depends on. Every part is written with its label and its length, so that no two lists
/// of parts give the same bytes.
package struct ItemKeyBuilder {
    /// Raised whenever the engine's numbers change although no verb's meaning did: another order of a sum is
    /// enough.
    package static let engineVersion = 4

    private var bytes = ByteWriter()

    /// - Parameter version: the verb's own, of its declaration.
    package init(verb: String, version: Int) {
        add("engine", "\(Self.engineVersion) \(Self.architecture) \(KernelChoice.current.rawValue)")
        add("verb", "\(verb) \(version)")
    }

    /// Sums of one instruction set differ from those of another in their last digits.
    private static var architecture: String {
        #if arch(x86_64)
        "x86_64"
        #elseif arch(arm64)
        "arm64"
        #else
        "other"
        #endif
    }

    package mutating func add(_ label: String, _ text: String) {
        bytes.write(label)
        bytes.write(text)
    }

    package mutating func add(_ label: String, _ number: Double) {
        bytes.write(label)
        bytes.write(number)
    }

    package mutating func add(_ label: String, _ number: Int) {
        bytes.write(label)
        bytes.write(number)
    }

    package mutating func add(_ label: String, _ tensor: Tensor) {
        bytes.write(label)
        bytes.write(tensor)
    }

    package mutating func add(_ label: String, _ tensors: [Tensor]) {
        add(label, tensors.count)
        for tensor in tensors { bytes.write(tensor) }
    }

    package mutating func add(_ label: String, _ content: [UInt8]) {
        bytes.write(label)
        bytes.write(content)
    }

    /// The state of a generator, from which all later draws follow.
    package mutating func add(_ label: String, _ generator: Generator?) {
        bytes.write(label)
        bytes.write(generator)
    }

    /// The key of all parts so far.
    package func key() throws -> ItemKey { ItemKey(digest: try Digest.sha256(bytes.bytes)) }
}
