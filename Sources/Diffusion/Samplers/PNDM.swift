internal import Tensors

/// Pseudo numerical methods for diffusion models (Liu and others 2022): linear multistep (formula 12) along
/// the transfer of formula 9, started either by Runge-Kutta (formula 13, four calls for each of the first
/// three steps) or by doing the first step twice, the second time with the slope at its end as well: the
/// second timestep is told twice, and N steps take N + 1 calls.
///
/// Starting in the middle, the reference cuts its list of N + 1 timesteps but still treats the second call as
/// the repeat. The doubled entry is gone by then, so from the third call on the network is told a level one
/// step below the one that the sample has. `aligned` cuts the list of N and doubles the second entry of what
/// is left; `diffusers` is call for call the reference.
struct PNDM: Sampler {
    private struct Move {
        enum Rule {
            case multistep
            /// The first step again, from its start, with the mean of the slopes at both ends.
            case again
            /// The stage, 0 to 3.
            case rungeKutta(Int)
        }
        var timestep: Int
        var from: NoiseLevel
        var to: NoiseLevel
        var rule: Rule
        var endsStep: Bool
    }

    private let moves: [Move]
    private let prediction: Prediction

    static func table(_ configuration: SchedulerConfiguration, steps: Int) throws -> ScheduleTable {
        let timesteps = configuration.wholeTimesteps(steps)
        let stride = configuration.stride(steps)
        return try ScheduleTable(configuration, timesteps: timesteps) {
            configuration.alphaBar(at: timesteps[$0] - stride)
        }
    }

    /// The reference's list is one longer, with the second entry twice, and k counts from its end.
    static func firstRow(_ configuration: SchedulerConfiguration, steps: Int, left: Int, mode: StartMode)
        -> Int
    {
        let row = steps - left
        return mode == .diffusers && configuration.skipsRungeKutta && row > 1 ? row - 1 : row
    }

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) throws {
        let timesteps = table.rows.map { Int($0.timestep) }
        let stride = configuration.stride(timesteps.count)
        prediction = configuration.prediction
        if configuration.skipsRungeKutta {
            let told: [Int] =
                switch mode {
                case .aligned: Self.secondDoubled(timesteps.suffix(left))
                case .diffusers:
                    left == 0 ? [] : Array(Self.secondDoubled(timesteps).dropFirst(timesteps.count - left))
                }
            moves = Self.multistep(told, stride, configuration)
        } else if mode == .aligned || left == timesteps.count {
            moves = Self.rungeKutta(timesteps.suffix(left), stride, configuration)
        } else {
            throw EngineError(
                .unsupported,
                """
                the reference cannot start PNDM in the middle with skip_prk_steps false: its counter has \
                no meaning there
                """,
                place: configuration.place, cure: "start=aligned")
        }
    }

    private static func secondDoubled(_ timesteps: some Collection<Int>) -> [Int] {
        Array(timesteps.prefix(2)) + timesteps.dropFirst()
    }

    private static func level(_ timestep: Int, _ configuration: SchedulerConfiguration) -> NoiseLevel {
        NoiseLevel(alphaBar: configuration.alphaBar(at: timestep))
    }

    private static func multistep(_ told: [Int], _ stride: Int, _ configuration: SchedulerConfiguration)
        -> [Move]
    {
        told.indices.map { place in
            // Only the call's number makes it the repeat, as in the reference.
            let isAgain = place == 1
            let start = isAgain ? told[place] + stride : told[place]
            return Move(
                timestep: told[place], from: level(start, configuration),
                to: level(start - stride, configuration), rule: isAgain ? .again : .multistep,
                endsStep: place > 0 || told.count == 1)
        }
    }

    /// Three steps by Runge-Kutta, which leave the three earlier slopes that the multistep rule of fourth
    /// order wants; fewer where fewer steps are left.
    private static func rungeKutta(
        _ timesteps: ArraySlice<Int>, _ stride: Int, _ configuration: SchedulerConfiguration
    ) -> [Move] {
        let started = Swift.zip(timesteps, timesteps.dropFirst()).prefix(3).flatMap { start, end in
            let half = stride / 2
            // The middle as the reference tells it and, for the first stage, as it goes there: one apart
            // where the stride is odd.
            let stages = [(start, start - half), (end + half, end + half), (end + half, end), (end, end)]
            return stages.enumerated().map { stage, move in
                Move(
                    timestep: move.0, from: level(start, configuration), to: level(move.1, configuration),
                    rule: .rungeKutta(stage),
                    endsStep: stage == 3)
            }
        }
        let rest = timesteps.dropFirst(started.count / 4).map {
            Move(
                timestep: $0, from: level($0, configuration), to: level($0 - stride, configuration),
                rule: .multistep, endsStep: true)
        }
        return started + rest
    }

    var calls: [SamplerCall] {
        moves.map { SamplerCall(timestep: Float($0.timestep), endsStep: $0.endsStep) }
    }

    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor {
        let move = moves[call]
        switch move.rule {
        case .multistep:
            if call == 0 { memory.anchor = sample }
            memory.outputs = memory.outputs.suffix(3) + [output]
            return transfer(sample, Self.extrapolated(memory.outputs), move)
        case .again:
            let start = memory.anchor ?? sample
            memory.anchor = nil
            return transfer(start, memory.outputs.last.map { .sum(0.5, output, 0.5, $0) } ?? output, move)
        case .rungeKutta(let stage):
            if stage == 0 {
                memory.outputs.append(output)
                memory.anchor = sample
                memory.slope = nil
            }
            let weight = stage == 0 || stage == 3 ? 1.0 / 6 : 1.0 / 3
            let slope = memory.slope.map { .sum(1, $0, weight, output) } ?? output * Float(weight)
            let start = memory.anchor ?? sample
            memory.slope = stage == 3 ? nil : slope
            if stage == 3 { memory.anchor = nil }
            return transfer(start, stage == 3 ? slope : output, move)
        }
    }

    /// The slope at the next step from the slopes so far, newest last (Adams and Bashforth; formula 12).
    private static func extrapolated(_ outputs: [Tensor]) -> Tensor {
        let weights: [Double] =
            switch outputs.count {
            case 1: [1]
            case 2: [3.0 / 2, -1.0 / 2]
            case 3: [23.0 / 12, -16.0 / 12, 5.0 / 12]
            default: [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24]
            }
        let newest = Array(outputs.reversed())
        return Swift.zip(weights, newest).dropFirst().reduce(newest[0] * Float(weights[0])) {
            .sum(1, $0, $1.0, $1.1)
        }
    }

    /// Formula 9.
    private func transfer(_ sample: Tensor, _ output: Tensor, _ move: Move) -> Tensor {
        let (from, to) = (move.from, move.to)
        let epsilon = prediction.epsilon(output, sample, at: from)
        let divisor =
            from.alphaBar * to.noise + (from.alphaBar * (1 - from.alphaBar) * to.alphaBar).squareRoot()
        return .sum(
            (to.alphaBar / from.alphaBar).squareRoot(), sample, -(to.alphaBar - from.alphaBar) / divisor,
            epsilon)
    }
}
