import Files
import LinearAlgebra
import Metrics
import Tensors
import TestSupport

/// Feature sets as the golden files describe them.
enum Features {
    /// From `{"seed", "n", "d", "shift", "scale", "rank"}`, float32 as in the reference.
    static func made(_ json: JSON) throws -> DoubleMatrix {
        let seed = try number(json, "seed"), n = try number(json, "n"), d = try number(json, "d")
        let shift = Float(json["shift"]?.double ?? 0), scale = Float(json["scale"]?.double ?? 1)
        var generator = Generator(seed: UInt64(seed))
        var x = generator.normal(shape: [n, d])
        if let rank = json["rank"]?.int {
            let mixing = generator.normal(shape: [rank, d])
            let divisor = Float(Double(rank).squareRoot())
            x = x.withUnsafePointer { x in
                mixing.withUnsafePointer { mixing in
                    Tensor(shape: [n, d]) { out in
                        for i in 0..<n {
                            for j in 0..<d {
                                var sum: Float = 0
                                for k in 0..<rank { sum += x[i * d + k] * mixing[k * d + j] }
                                out[i * d + j] = sum / divisor
                            }
                        }
                    }
                }
            }
        }
        return DoubleMatrix(x.map { $0 * scale + shift })
    }

    static func number(_ json: JSON, _ key: String) throws -> Int {
        guard let value = json[key]?.int else { throw EngineError(.format, "no number \(key) in \(json)") }
        return value
    }

    static func random(_ rows: Int, _ columns: Int, seed: UInt64, shift: Float = 0) -> DoubleMatrix {
        var generator = Generator(seed: seed)
        return DoubleMatrix(generator.normal(shape: [rows, columns]).map { $0 + shift })
    }
}
