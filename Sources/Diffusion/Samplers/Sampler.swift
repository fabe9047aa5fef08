package import Tensors

/// Where a run begins.
package enum SchedulerStart: Sendable, Hashable {
    /// From pure noise, all steps.
    case noise
    /// `left` steps before the end, from a picture with noise added.
    case middle(left: Int, mode: StartMode)
}

/// The two ways to begin in the middle. They differ for PNDM only, see `PNDM`.
package enum StartMode: String, CaseIterable, Sendable {
    /// The level told to the network is the level that the sample has, at every call.
    case aligned
    /// The reference's picture-to-picture slice, call for call.
    case diffusers
}

/// One call of the network.
package struct SamplerCall: Sendable, Hashable {
    /// What the network is told.
    package let timestep: Float
    /// Whether a step of the schedule ends with this call; some steps take several.
    package let endsStep: Bool
}

/// What a sampler keeps from call to call: all of a run's state apart from its place.
package struct SamplerMemory: Sendable {
    /// Earlier outputs, or the pictures they imply, newest last.
    package var outputs: [Tensor] = []
    /// The sample that the present step began with, where a step takes several calls.
    package var anchor: Tensor?
    /// The direction gathered so far in the present step.
    package var slope: Tensor?

    package init() {}
}

/// A sampler for one run: a fixed plan of calls, and a step that is a function of its arguments alone.
protocol Sampler: Sendable {
    /// The steps of a full schedule. `steps` lies within 1 and the training steps.
    static func table(_ configuration: SchedulerConfiguration, steps: Int) throws -> ScheduleTable
    /// The row of the table at which a run with `left` steps to go begins, and whose noise it starts with.
    static func firstRow(_ configuration: SchedulerConfiguration, steps: Int, left: Int, mode: StartMode)
        -> Int

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) throws

    var calls: [SamplerCall] { get }
    /// The sample as the network wants it: variance 1.
    func scaled(_ sample: Tensor, _ call: Int) -> Tensor
    /// The sample after a call whose output was `output`. Draws from the generator exactly what the reference
    /// draws.
    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor
}

extension Sampler {
    static func firstRow(_ configuration: SchedulerConfiguration, steps: Int, left: Int, mode: StartMode)
        -> Int
    { steps - left }
    func scaled(_ sample: Tensor, _ call: Int) -> Tensor { sample }
}

/// Most samplers take one call for each step.
protocol OneCallSampler: Sampler {
    var steps: [ScheduleStep] { get }
}

extension OneCallSampler {
    var calls: [SamplerCall] { steps.map { SamplerCall(timestep: $0.timestep, endsStep: true) } }
}
