import Files
import ItemWork
import Models

extension LoadedModel {
    /// What is known of a part that gives NaN or infinity: the weights that hold them, else what may make
    /// them.
    package func cure(for part: PartDigests.Part) -> String {
        let folder = FileSystem.join(model.folder, part.rawValue)
        if let weights = NumberFailures.weights(in: folder) { return weights }
        return model.precision == .float32
            ? "its weights are numbers; look at what flowed in"
            : "half precision may be too narrow for it: load it with precision=float32"
    }
}

extension NumberFailures {
    /// Names weights that hold NaN or infinity, if there are any. Read only after something went wrong.
    package static func weights(in folder: String) -> String? {
        guard let source = try? WeightFiles.open(folder: folder) else { return nil }
        let bad = source.names.sorted().filter { name in
            (try? source.tensor(name)).map { !$0.isFinite } ?? false
        }
        guard let name = bad.first else { return nil }
        let others = bad.count > 1 ? " and \(bad.count - 1) more weights" : ""
        return "\(name)\(others) in \(folder) \(bad.count > 1 ? "hold" : "holds") them: get the file again"
    }
}
