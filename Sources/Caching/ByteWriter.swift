package import Tensors

/// Values as bytes, little end first: what an entry of the cache holds, and what keys are made of.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func write(_ number: Int) { append(Int64(number)) }

    /// The bits, so that every number comes back as it was, also -0 and NaN.
    package mutating func write(_ number: Double) { append(number.bitPattern) }

    package mutating func write(_ numbers: [Double]) {
        write(numbers.count)
        for number in numbers { write(number) }
    }

    package mutating func write(_ content: [UInt8]) {
        write(content.count)
        bytes.append(contentsOf: content)
    }

    package mutating func write(_ text: String) { write(Array(text.utf8)) }

    package mutating func write(_ tensor: Tensor) {
        write(tensor.rank)
        for extent in tensor.shape { write(extent) }
        tensor.withUnsafePointer { source in
            #if _endian(little)
            bytes.append(
                contentsOf: UnsafeRawBufferPointer(
                    start: source, count: tensor.count * MemoryLayout<Float>.stride))
            #else
            for index in 0..<tensor.count { append(source[index].bitPattern) }
            #endif
        }
    }

    package mutating func write(_ tensor: Tensor?) {
        write(tensor == nil ? 0 : 1)
        if let tensor { write(tensor) }
    }

    package mutating func write(_ generator: Generator?) {
        write(generator == nil ? 0 : 1)
        guard let state = generator?.state else { return }
        write(state.words.count)
        for word in state.words { append(word) }
        write(state.used)
        write(state.cachedNormal == nil ? 0 : 1)
        if let normal = state.cachedNormal { write(normal) }
    }
}
