import Files
import Interpreting
import Models
import Results
import Tensors

/// Items whose numbers are none (NaN or infinity): each is left where it was found out, the others are finished and kept, and then the
/// first one is the command's error. What came of it would look like a result: a black picture, a similarity of nothing.
struct NumberFailures {
    private var first: NotedError?
    private var count = 0

    var isEmpty: Bool { count == 0 }

    /// - Parameters:
    ///   - what: "the UNet's prediction".
    ///   - place: "item 17 \"a small golem...\", step 23 of 40".
    mutating func add(_ what: String, at place: String, cure: @autoclosure () -> String? = nil) {
        count += 1
        if first == nil { first = Self.failure(what, at: place, cure: cure()) }
    }

    func throwIfAny() throws {
        guard let first else { return }
        guard count > 1 else { throw first }
        throw NotedError(first, note: count == 2 ? "so it is with one more item" : "so it is with \(count - 1) more items")
    }

    static func failure(_ what: String, at place: String, cure: String? = nil) -> NotedError {
        NotedError(EngineError(.numbers, "\(what) holds NaN or infinity", cure: cure), note: place)
    }
}

extension Invocation {
    /// Whether numbers that are none can only come of an error: a walk through a program stands in with them for what it leaves out.
    func mustBeFinite(_ tensor: Tensor) -> Bool { session.standIns == nil || !tensor.isUnknown }
}

extension LoadedModel {
    /// What is known of a part that gives NaN or infinity: the weights that hold them, else what may make them.
    func cure(for part: PartDigests.Part) -> String {
        let folder = FileSystem.join(model.folder, part.rawValue)
        if let weights = NumberFailures.weights(in: folder) { return weights }
        return model.precision == .float32
            ? "its weights are numbers; look at what flowed in" : "half precision may be too narrow for it: load it with precision=float32"
    }
}

extension NumberFailures {
    /// Names weights that hold NaN or infinity, if there are any. Read only after something went wrong.
    static func weights(in folder: String) -> String? {
        guard let source = try? WeightFiles.open(folder: folder) else { return nil }
        let bad = source.names.sorted().filter { name in (try? source.tensor(name)).map { !$0.isFinite } ?? false }
        guard let name = bad.first else { return nil }
        return "\(name)\(bad.count > 1 ? " and \(bad.count - 1) more weights" : "") in \(folder) \(bad.count > 1 ? "hold" : "holds") them: get the file again"
    }
}
