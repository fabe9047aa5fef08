internal import Files
internal import LinearAlgebra
internal import Tensors

/// Statistics in files: `.npz` with `mu` and `sigma`, as pytorch-fid and its kin keep them, or the same two
/// in float64 in `.safetensors`.
extension FeatureStatistics {
    /// - Throws: where the form is another, an array is missing, or the covariance is none, with the file.
    package init(path: String) throws {
        let mean: [Double], covariance: NumpyArchive.Array
        if path.hasSuffix(".safetensors") {
            let file = try SafetensorsFile(path: path)
            guard let shape = file.entry("sigma")?.shape, file.contains("mu") else {
                throw Self.incomplete(file.names, path)
            }
            mean = try file.doubles("mu")
            covariance = .init(shape: shape, values: try file.doubles("sigma"))
        } else if path.hasSuffix(".npz") {
            let archive = try NumpyArchive(path: path)
            guard let mu = try archive.array("mu"), let sigma = try archive.array("sigma") else {
                throw Self.incomplete(archive.names, path)
            }
            mean = mu.values
            covariance = sigma
        } else {
            throw Self.unknownForm(path)
        }
        guard covariance.shape.count == 2 else {
            throw EngineError(
                .shape, "sigma has the shape \(covariance.shape); a covariance has two axes", place: path)
        }
        do {
            try self.init(
                mean: mean,
                covariance: DoubleMatrix(
                    rows: covariance.shape[0], columns: covariance.shape[1], values: covariance.values))
        } catch var error as EngineError {
            error.place = path
            throw error
        }
    }

    package func write(to path: String) throws {
        let shape = [covariance.rows, covariance.columns]
        if path.hasSuffix(".safetensors") {
            try Safetensors.write(
                [
                    "mu": .float64(mean, shape: [mean.count]),
                    "sigma": .float64(covariance.values, shape: shape),
                ], to: path)
        } else if path.hasSuffix(".npz") {
            try NumpyArchive.write(
                [
                    ("mu", .init(shape: [mean.count], values: mean)),
                    ("sigma", .init(shape: shape, values: covariance.values)),
                ], to: path)
        } else {
            throw Self.unknownForm(path)
        }
    }

    private static func unknownForm(_ path: String) -> EngineError {
        EngineError(.unsupported, "statistics are kept in .npz or .safetensors", place: path)
    }

    private static func incomplete(_ names: [String], _ path: String) -> EngineError {
        EngineError(
            .data,
            """
            statistics are the arrays mu and sigma; there are \
            \(names.isEmpty ? "none" : names.joined(separator: ", "))
            """, place: path)
    }
}
