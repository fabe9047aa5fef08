import Caching
import Diffusion
import Results
import Tensors

/// How latents stand in keys and in entries of the cache.
extension ItemKeyBuilder {
    /// All that later steps of a latent depend on: its numbers, its schedule and place in it, its generator.
    package mutating func add(_ label: String, _ latent: Latent) {
        add(label, latent.tensor)
        add("generator", latent.generator)
        guard let run = latent.run else { return add("schedule", 0) }
        add("schedule", 1)
        // What `SchedulerConfiguration` compares by.
        add("scheduler", run.configuration.kind.rawValue)
        add("eta", run.configuration.eta)
        add("karras", run.configuration.karras ? 1 : 0)
        add("settings", run.configuration.keyText)
        add("of", run.steps)
        switch run.start {
        case .noise: add("start", "noise")
        case .middle(let left, let mode):
            add("start", mode.rawValue)
            add("left", left)
        }
        add("index", run.index)
        add("outputs", run.memory.outputs)
        add("anchor", run.memory.anchor.map { [$0] } ?? [])
        add("slope", run.memory.slope.map { [$0] } ?? [])
    }
}

extension ByteWriter {
    /// What denoising changes in a latent.
    package mutating func write(_ latent: Latent) {
        write(latent.tensor)
        write(latent.generator)
        write(latent.run?.index ?? 0)
        let memory = latent.run?.memory ?? SamplerMemory()
        write(memory.outputs.count)
        for output in memory.outputs { write(output) }
        write(memory.anchor)
        write(memory.slope)
    }
}

extension ByteReader {
    /// The latent as it was stored, on the schedule of `begun`, which it came from.
    package mutating func latent(from begun: Latent) throws -> Latent {
        var latent = begun
        latent.tensor = try tensor()
        latent.generator = try generator()
        let index = try int()
        let count = try int()
        guard latent.tensor.shape == begun.tensor.shape, (0...64).contains(count) else {
            throw EngineError(.format, "a cached latent of another shape")
        }
        var memory = SamplerMemory()
        for _ in 0..<count { memory.outputs.append(try tensor()) }
        memory.anchor = try optionalTensor()
        memory.slope = try optionalTensor()
        try latent.run?.resume(index: index, memory: memory)
        return latent
    }
}
