package import Tensors

/// Writes tensors of floats as `torch.save` did before torch 1.6, for tests that need a file of their own.
package enum TorchWriter {
    package static func bytes(_ contents: [String: Tensor]) -> [UInt8] {
        let sorted = contents.sorted { $0.key < $1.key }
        // A magic number, a version, the machine.
        var out: [UInt8] = [
            0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
        ]
        out += [0x80, 2] + Array("M".utf8) + [0xe9, 3, 0x2e, 0x80, 2, 0x7d, 0x2e]
        out += [0x80, 2] + Array("}(".utf8)
        for (number, (name, tensor)) in sorted.enumerated() {
            var strides: [Int] = [], stride = 1
            for extent in tensor.shape.reversed() {
                strides.insert(stride, at: 0)
                stride *= extent
            }
            out += text(name) + Array("ctorch._utils\n_rebuild_tensor_v2\n(".utf8)
            out +=
                Array("(".utf8) + text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text("\(number)")
                + text("cpu")
            out += integer(tensor.count) + Array("tQ".utf8) + integer(0)
            for numbers in [tensor.shape, strides] {
                out += Array("(".utf8) + numbers.flatMap(integer) + Array("t".utf8)
            }
            out += [0x89] + Array("ccollections\nOrderedDict\n)RtR".utf8)
        }
        out +=
            Array("u.".utf8) + [0x80, 2] + Array("](".utf8) + sorted.indices.flatMap { text("\($0)") }
            + Array("e.".utf8)
        for (_, tensor) in sorted {
            withUnsafeBytes(of: Int64(tensor.count).littleEndian) { out += $0 }
            for value in tensor.values { withUnsafeBytes(of: value.bitPattern.littleEndian) { out += $0 } }
        }
        return out
    }

    private static func text(_ text: String) -> [UInt8] {
        Array("X".utf8) + little(text.utf8.count) + Array(text.utf8)
    }
    private static func integer(_ number: Int) -> [UInt8] { Array("J".utf8) + little(number) }
    private static func little(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
