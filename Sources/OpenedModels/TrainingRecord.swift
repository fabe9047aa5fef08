import Files
import Results
import Training

/// What a training leaves beside the weights: `training.json`, with the loss curve and how it came about.
package enum TrainingRecord {
    package static let file = "training.json"

    package static func write(_ curve: TrainingCurve, _ facts: [String: JSON], to folder: String) throws {
        let points = curve.points.map { point -> JSON in
            .object([
                "step": .number(Double(point.step)), "epoch": .number(point.epoch),
                "loss": .number(point.loss),
                "validation": point.validation.map { .number($0) } ?? .null, "rate": .number(point.rate),
            ])
        }
        try AtomicFile.write(
            JSON.object(facts.merging(["curve": .array(points)]) { $1 }).text + "\n",
            to: FileSystem.join(folder, file))
    }

    /// A table with the columns `step`, `epoch`, `loss`, `validation`, `rate`; nothing for weights that were
    /// not trained here.
    package static func curve(_ folder: String) throws -> Value {
        let path = FileSystem.join(folder, file)
        guard FileSystem.exists(path) else { return .none }
        let points = try JSON.read(path: path)["curve"]?.array ?? []
        return .table(
            Table(
                columns: ["step", "epoch", "loss", "validation", "rate"].map { name in
                    Column(name, points.map { point in point[name]?.double.map { .number($0) } ?? .none })
                }, rowCount: points.count))
    }
}
