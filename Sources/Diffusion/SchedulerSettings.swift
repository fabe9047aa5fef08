internal import Files
internal import Tensors

/// Reads the keys of scheduler_config.json. A key that is missing or null takes its default, and so does one
/// that the scheduler's class does not know; a value of another kind, out of range or unknown is an error
/// that names the file, the key and what is expected.
struct SchedulerSettings {
    let json: JSON
    let place: String
    /// What the class knows beyond what all of them do.
    let keys: Set<String>

    private static let common: Set = [
        "beta_start", "beta_end", "beta_schedule", "trained_betas", "num_train_timesteps", "prediction_type",
        "steps_offset", "timestep_spacing",
    ]

    private func value(_ key: String) -> JSON? {
        guard Self.common.contains(key) || keys.contains(key), let value = json[key], !value.isNull else {
            return nil
        }
        return value
    }

    private func wrong(_ key: String, _ expected: String, _ found: JSON) -> EngineError {
        EngineError(.configuration, "\(key): expected \(expected), found \(found.shortText)", place: place)
    }

    /// A name, where there is one.
    func text(_ key: String) -> String? { value(key)?.string }

    func flag(_ key: String, _ fallback: Bool) throws -> Bool {
        guard let value = value(key) else { return fallback }
        guard let flag = value.bool else { throw wrong(key, "true or false", value) }
        return flag
    }

    func integer(_ key: String, _ fallback: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let value = value(key) else { return fallback }
        guard let number = value.int, range.contains(number) else {
            throw wrong(key, "a whole number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return number
    }

    func number(_ key: String, _ fallback: Double, in range: ClosedRange<Double>) throws -> Double {
        guard let value = value(key) else { return fallback }
        guard let number = value.double, range.contains(number) else {
            throw wrong(key, "a number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return number
    }

    func optionalNumber(_ key: String) throws -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.double, !number.isNaN else { throw wrong(key, "a number", value) }
        return number
    }

    func optionalSigma(_ key: String) throws -> Double? {
        guard let sigma = try optionalNumber(key) else { return nil }
        guard sigma > 0, sigma <= 1e6 else { throw wrong(key, "a number above 0", .number(sigma)) }
        return sigma
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ fallback: Choice) throws -> Choice
    where Choice.RawValue == String {
        guard let value = value(key) else { return fallback }
        guard let name = value.string else { throw wrong(key, "a name", value) }
        guard let choice = Choice(rawValue: name) else {
            throw unsupported(key, name, Choice.allCases.map(\.rawValue))
        }
        return choice
    }

    /// A key that must have one of these values where it is there.
    func require(_ key: String, _ supported: [String]) throws {
        guard let value = value(key) else { return }
        guard let name = value.string, supported.contains(name) else {
            throw unsupported(key, value.string ?? value.shortText, supported)
        }
    }

    /// Switches of the reference that are not built here and must be off.
    func refuse(_ keys: [String]) throws {
        for key in keys where try flag(key, false) {
            throw EngineError(.unsupported, "\(key) is not supported", place: place)
        }
    }

    private func unsupported(_ key: String, _ found: String, _ supported: [String]) -> EngineError {
        EngineError(
            .unsupported, "\(key): \(found) is not supported", place: place,
            cure: "supported: \(supported.joined(separator: ", "))")
    }

    func prediction(of kind: SchedulerKind) throws -> Prediction {
        let supported = kind.traits.predictions
        let found = try choice("prediction_type", Prediction.epsilon)
        guard supported.contains(found) else {
            throw unsupported(
                "prediction_type", "\(found.rawValue) with \(kind.rawValue)", supported.map(\.rawValue))
        }
        return found
    }

    func noiseSchedule(defaults: (shape: NoiseSchedule.Shape, start: Double, end: Double)) throws
        -> NoiseSchedule
    {
        // A million is far beyond any model and keeps a corrupt file from taking all memory.
        let count = try integer("num_train_timesteps", 1000, in: 1...1_000_000)
        if let given = value("trained_betas") {
            guard let betas = given.doubles, betas.count == count, betas.allSatisfy({ $0 > 0 && $0 < 1 })
            else {
                throw EngineError(
                    .configuration, "trained_betas: expected \(count) numbers between 0 and 1", place: place)
            }
            return try checked(NoiseSchedule(betas: betas.map(Float.init)))
        }
        let shape = try choice("beta_schedule", defaults.shape)
        let range = Double.leastNonzeroMagnitude...(1 - 1e-6)
        let start = try number("beta_start", defaults.start, in: range)
        return try checked(
            NoiseSchedule(
                shape, start: start, end: try number("beta_end", defaults.end, in: range), count: count))
    }

    /// Every level must hold some picture and some noise, or the samplers would divide by 0.
    private func checked(_ schedule: NoiseSchedule) throws -> NoiseSchedule {
        guard schedule.alphaBars.allSatisfy({ $0 > 0 && $0 < 1 }) else {
            throw EngineError(
                .configuration, "the betas leave a timestep without any picture or without any noise",
                place: place)
        }
        return schedule
    }
}
