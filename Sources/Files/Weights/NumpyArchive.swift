internal import Tensors

/// NumPy's `.npz`: a ZIP archive of `.npy` arrays. Arrays of float32 and float64 are read, float64 is
/// written.
package struct NumpyArchive {
    package struct Array: Sendable, Equatable {
        package var shape: [Int]
        /// Row-major.
        package var values: [Double]

        package init(shape: [Int], values: [Double]) { (self.shape, self.values) = (shape, values) }
    }

    private let archive: ZipArchive
    private let place: String

    package init(path: String) throws {
        archive = try ZipArchive(FileSystem.readBytes(path), place: path)
        place = path
    }

    /// Of the arrays, without `.npy`.
    package var names: [String] {
        archive.names.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    }

    package func array(_ name: String) throws -> Array? {
        guard let bytes = try archive.content(name + ".npy") else { return nil }
        return try Self.array(bytes, place: "\(place), \(name)")
    }

    package static func write(_ arrays: [(name: String, array: Array)], to path: String) throws {
        try AtomicFile.write(ZipArchive.archive(arrays.map { ($0.name + ".npy", bytes($0.array)) }), to: path)
    }

    /// The format's magic, version, the header's length, a header in Python's notation, the elements.
    private static func array(_ bytes: [UInt8], place: String) throws -> Array {
        func damaged(_ message: String) -> EngineError {
            EngineError(.format, "not a usable NumPy array: " + message, place: place)
        }
        guard bytes.count >= 12, bytes.starts(with: [0x93] + Swift.Array("NUMPY".utf8)),
            (1...3).contains(bytes[6])
        else {
            throw damaged("it does not begin as one")
        }
        let width = bytes[6] == 1 ? 2 : 4
        let length = bytes[8..<8 + width].reversed().reduce(0) { $0 << 8 | Int($1) }
        let start = 8 + width + length
        guard start <= bytes.count else { throw damaged("it ends within its header") }
        let header = String(decoding: bytes[8 + width..<start], as: UTF8.self)
        guard let type = Self.value("descr", in: header), let order = Self.value("fortran_order", in: header),
            let extents = Self.value("shape", in: header)
        else {
            throw damaged("its header is \(header)")
        }
        guard type == "'<f8'" || type == "'<f4'" else {
            throw EngineError(
                .unsupported, "an array of type \(type) is not read; float64 and float32 are", place: place)
        }
        let parts = extents.dropFirst().dropLast().split(separator: ",").map { Int($0.filter { $0 != " " }) }
        var shape: [Int] = [], count = 1
        for part in parts {
            guard let part, (0...bytes.count).contains(part),
                case let (product, overflow) = count.multipliedReportingOverflow(by: part), !overflow
            else {
                throw damaged("its shape is \(extents)")
            }
            shape.append(part)
            count = product
        }
        let size = type == "'<f8'" ? 8 : 4
        guard count <= bytes.count, bytes.count - start == count * size else {
            throw damaged("\(extents) takes \(count) elements, \(bytes.count - start) bytes are there")
        }
        let values = bytes.withUnsafeBytes { raw in
            (0..<count).map { i in
                size == 8
                    ? Double(
                        bitPattern: UInt64(
                            littleEndian: raw.loadUnaligned(fromByteOffset: start + i * 8, as: UInt64.self)))
                    : Double(
                        Float(
                            bitPattern: UInt32(
                                littleEndian: raw.loadUnaligned(
                                    fromByteOffset: start + i * 4, as: UInt32.self))))
            }
        }
        guard order == "True", shape.count == 2 else {
            if order == "True", shape.count > 2 {
                throw EngineError(
                    .unsupported, "an array of \(shape.count) axes in Fortran's order is not read",
                    place: place)
            }
            return Array(shape: shape, values: values)
        }
        let (rows, columns) = (shape[0], shape[1])
        return Array(
            shape: shape, values: (0..<rows * columns).map { values[$0 % columns * rows + $0 / columns] })
    }

    /// What stands behind a key of the header, up to the comma that ends it.
    private static func value(_ key: String, in header: String) -> String? {
        guard let range = header.firstRange(of: "'\(key)':") else { return nil }
        let rest = header[range.upperBound...].drop { $0 == " " }
        guard rest.hasPrefix("(") else { return String(rest.prefix { $0 != "," && $0 != "}" && $0 != " " }) }
        return rest.firstIndex(of: ")").map { String(rest[...$0]) }
    }

    private static func bytes(_ array: Array) -> [UInt8] {
        let extents =
            array.shape.count == 1
            ? "(\(array.shape[0]),)" : "(" + array.shape.map(String.init).joined(separator: ", ") + ")"
        var header = "{'descr': '<f8', 'fortran_order': False, 'shape': \(extents), }"
        // The elements begin at a multiple of 64, the header ends with a line end.
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        let length = header.utf8.count
        var out: [UInt8] =
            [0x93] + Swift.Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
            + Swift.Array(header.utf8)
        out.reserveCapacity(out.count + array.values.count * 8)
        for value in array.values { withUnsafeBytes(of: value.bitPattern.littleEndian) { out += $0 } }
        return out
    }
}
