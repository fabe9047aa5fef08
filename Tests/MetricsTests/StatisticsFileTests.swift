import Files
import LinearAlgebra
import Metrics
import Tensors
import TestSupport
import Testing

@Suite("Statistics in files") struct StatisticsFileTests {
    let data = FileSystem.join(FileSystem.folder(of: FileSystem.folder(of: #filePath)), "Data")

    @Test(
        "NumPy's own files are read: plain, compressed, float32, in Fortran's order",
        arguments: ["statistics.npz", "statistics-compressed.npz"])
    func numpy(_ name: String) throws {
        let found = try FeatureStatistics(path: FileSystem.join(data, name))
        #expect(
            found
                == (try FeatureStatistics(
                    mean: [1, 2], covariance: DoubleMatrix(rows: 2, columns: 2, values: [2, 0.5, 0.5, 1]))))
    }

    @Test(
        "what is written is read back to the bit, and written the same again",
        arguments: ["npz", "safetensors"])
    func roundTrip(_ form: String) throws {
        let folder = try TemporaryFolder()
        let statistics = try FeatureStatistics(Features.random(40, 9, seed: 1))
        try statistics.write(to: folder.path("a.\(form)"))
        try statistics.write(to: folder.path("b.\(form)"))
        #expect(try FeatureStatistics(path: folder.path("a.\(form)")) == statistics)
        #expect(
            try FileSystem.readBytes(folder.path("a.\(form)"))
                == FileSystem.readBytes(folder.path("b.\(form)")))
    }

    @Test("damaged, foreign and incomplete files are errors, and none ends the program")
    func hostile() throws {
        let folder = try TemporaryFolder()
        for name in ["statistics.npz", "statistics-compressed.npz"] {
            let whole = try FileSystem.readBytes(FileSystem.join(data, name))
            var small = SmallGenerator(seed: 1)
            for _ in 0..<400 {
                var bytes = whole
                if small.next(below: 3) == 0 { bytes.removeLast(1 + small.next(below: bytes.count - 1)) }
                for _ in 0..<1 + small.next(below: 4) where !bytes.isEmpty {
                    bytes[small.next(below: bytes.count)] = UInt8(truncatingIfNeeded: small.next())
                }
                try AtomicFile.write(bytes, to: folder.path("x.npz"), durable: false)
                _ = try? FeatureStatistics(path: folder.path("x.npz"))
            }
        }
        try NumpyArchive.write([("mu", .init(shape: [2], values: [1, 2]))], to: folder.path("half.npz"))
        #expect(throws: EngineError.self) { try FeatureStatistics(path: folder.path("half.npz")) }
        try NumpyArchive.write(
            [
                ("mu", .init(shape: [2], values: [1, 2])),
                ("sigma", .init(shape: [4], values: [1, 2, 3, 4])),
            ], to: folder.path("flat.npz"))
        #expect(throws: EngineError.self) { try FeatureStatistics(path: folder.path("flat.npz")) }
        try AtomicFile.write("mu", to: folder.path("statistics.txt"))
        #expect(throws: EngineError.self) { try FeatureStatistics(path: folder.path("statistics.txt")) }
    }
}
