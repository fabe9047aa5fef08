import Autodiff
import Files
import Tensors
import TestSupport
import Testing
import Training

@Suite("Trainings") struct TrainerTests {
    /// Learns y = x Wᵀ + b from eight rows; small enough for hundreds of steps.
    private final class Line: Objective {
        let parameters: Parameters
        let rowCount = 8
        let validationCount = 1
        let isSumOfRows = true
        /// After so many steps the loss is no number any more.
        var breaksAfter: Int?
        /// After so many steps the loss is told to be large.
        var collapsesAfter: Int?
        private(set) var learnt = 0

        init() {
            var generator = Generator(seed: 4)
            parameters = Parameters([
                ("a.weight", generator.normal(shape: [2, 3])), ("a.bias", Tensor(zeros: [2])),
            ])
        }

        private func row(_ index: Int) -> (Tensor, Tensor) {
            var generator = Generator(seed: UInt64(index))
            let x = generator.normal(shape: [1, 3])
            return (x, Tensor(shape: [1, 2], values: [x.values[0] + 2 * x.values[1], 1 - x.values[2]]))
        }

        func learn(_ rows: [BatchRow], scale: Float) throws -> Double {
            learnt += 1
            if let breaksAfter, learnt > breaksAfter { return .nan }
            let tape = Tape(parameters)
            let noise = rows.map { row in
                var generator = row.generator
                return generator.normal(shape: [1, 3]) * 0.01
            }
            let inputs = zip(rows, noise).map { row($0.row).0 + $1 }
            let loss = tape.meanSquaredError(
                tape.linear(tape.constant(.concatenated(inputs)), "a"),
                .concatenated(rows.map { row($0.row).1 }))
            let value = loss.scalar
            tape.backward(loss, scale: scale)
            if let collapsesAfter, learnt > collapsesAfter { return 100 }
            return value
        }

        func validate() throws -> Double? {
            let tape = Tape(parameters, recording: false)
            return tape.meanSquaredError(tape.linear(tape.constant(row(0).0), "a"), row(0).1).scalar
        }
    }

    private func settings(
        steps: Int = 60, batch: Int = 4, chunk: Int = 4, keep: TrainingSettings.Keep = .last
    ) -> TrainingSettings {
        TrainingSettings(
            budget: .steps(steps), batch: batch, chunk: chunk, rate: 0.05, shape: .linear, warmup: 5,
            optimiser: .init(), largestNorm: 1,
            averages: [.power(relative: 0.05), .exponential(decay: 0.9)], keep: keep, seed: 3)
    }

    private func trainer(
        _ objective: Line, _ settings: TrainingSettings, path: String?, signer: Signer? = nil,
        interval: Duration = .seconds(30)
    ) throws -> Trainer {
        try Trainer(
            objective, settings, order: BatchOrder(rowCount: 8, batch: settings.batch, seed: settings.seed),
            key: "a key", path: path,
            signer: signer, interval: interval)
    }

    private func values(_ outcome: Trainer.Outcome?) throws -> [[Float]] {
        try #require(outcome).weights.map(\.tensor.values)
    }

    @Test("a training learns")
    func learns() throws {
        let outcome = try #require(try trainer(Line(), settings(steps: 300), path: nil).run())
        let losses = outcome.curve.points.map(\.loss)
        #expect(try #require(losses.last) < 0.02 * (try #require(losses.first)))
    }

    @Test(
        "stopped after any step and begun again, a training ends with the same weights and curve, to the bit",
        arguments: [1, 7, 20, 59])
    func resumes(after stop: Int) throws {
        for keep in TrainingSettings.Keep.allCases {
            let folder = try TemporaryFolder()
            let path = folder.path("checkpoint.safetensors")
            let whole = try trainer(Line(), settings(keep: keep), path: nil).run()
            var steps = 0
            let first = try trainer(Line(), settings(keep: keep), path: path).run(shouldStop: {
                steps == stop
            }) { _ in steps += 1 }
            #expect(first == nil)
            let again = try trainer(Line(), settings(keep: keep), path: path)
            #expect(again.stepsDone == stop)
            let outcome = try again.run()
            #expect(try values(outcome) == values(whole))
            #expect(outcome?.curve == whole?.curve)
            // A finished one gives the stored result without a step.
            let objective = Line()
            #expect(try values(trainer(objective, settings(keep: keep), path: path).run()) == values(whole))
            #expect(objective.learnt == 0)
        }
    }

    @Test("a training that is killed goes on from its last checkpoint to the same end")
    func killed() throws {
        struct Killed: Error {}
        let folder = try TemporaryFolder()
        let path = folder.path("checkpoint.safetensors")
        let whole = try trainer(Line(), settings(), path: nil).run()
        // The checkpoint of step 20 is there; what came after is lost with the process.
        var steps = 0
        _ = try trainer(Line(), settings(), path: path).run(shouldStop: { steps == 20 }) { _ in steps += 1 }
        _ = try trainer(Line(), settings(), path: path).run(shouldStop: { false }) { _ in }
        #expect(try values(trainer(Line(), settings(), path: path).run()) == values(whole))
    }

    @Test("a batch worked off in pieces gives the same training up to rounding")
    func chunks() throws {
        let whole = try values(trainer(Line(), settings(batch: 8, chunk: 8), path: nil).run()),
            pieces = try values(trainer(Line(), settings(batch: 8, chunk: 3), path: nil).run())
        for (a, b) in zip(whole.joined(), pieces.joined()) { #expect(abs(a - b) < 1e-4) }
    }

    @Test("a loss that is no number ends the training and leaves the last checkpoint as it was")
    func diverges() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("checkpoint.safetensors")
        var steps = 0
        _ = try trainer(Line(), settings(), path: path).run(shouldStop: { steps == 10 }) { _ in steps += 1 }
        let before = try FileSystem.readBytes(path)
        let objective = Line()
        objective.breaksAfter = 5
        #expect { try trainer(objective, settings(), path: path, interval: .zero).run() } throws: { error in
            let error = error as? EngineError
            return error?.kind == .training && error?.message.contains("step 16") == true
                && error?.place == path
        }
        // Checkpoints of the good steps after it may have been written; all of their weights are numbers.
        #expect(before.count > 0)
        let file = try SafetensorsFile(path: path)
        for name in file.names { #expect(try file.tensor(name).values.allSatisfy(\.isFinite), "\(name)") }
    }

    @Test("a loss that goes back to where it began stops the training, though it is a number")
    func collapse() throws {
        let objective = Line()
        objective.collapsesAfter = 220
        #expect { try trainer(objective, settings(steps: 400), path: nil).run() } throws: { error in
            let error = error as? EngineError
            return error?.kind == .training && error?.message.contains("the mean loss is 100") == true
        }
        let steady = Line()
        #expect(try trainer(steady, settings(steps: 400), path: nil).run() != nil)
    }

    @Test(
        """
        a checkpoint of another training or a damaged one is not gone on from: the training begins anew, to \
        the same end
        """)
    func foreign() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("checkpoint.safetensors")
        let whole = try values(trainer(Line(), settings(), path: nil).run())
        var steps = 0
        _ = try trainer(Line(), settings(), path: path).run(shouldStop: { steps == 3 }) { _ in steps += 1 }
        let other = try Trainer(
            Line(), settings(), order: BatchOrder(rowCount: 8, batch: 4), key: "another key", path: path)
        #expect(
            other.stepsDone == 0 && other.damage?.place == path
                && other.damage?.message.contains("another training") == true)
        let bytes = try FileSystem.readBytes(path)
        var damaged = [0, 7, 40, bytes.count / 2, bytes.count - 1].map { Array(bytes[..<$0]) }
        // A bit of the header's length, of the header, of the first and of the last number.
        let header = Int(bytes[0]) | Int(bytes[1]) << 8
        for place in [0, 8 + header / 4, 8 + header / 2, 8 + header + 1, bytes.count - 2] {
            var flipped = bytes
            flipped[place] ^= 1
            damaged.append(flipped)
        }
        for content in damaged {
            try AtomicFile.write(content, to: path)
            let again = try trainer(Line(), settings(), path: path)
            #expect(again.stepsDone == 0 && again.damage?.place?.hasPrefix(path) == true)
            #expect(try values(again.run()) == whole)
        }
    }

    /// Its digest would refuse all but one in a thousand, so that the numbers inside are asked for by those
    /// that are sealed anew.
    @Test(
        "a checkpoint with any bytes is gone on from or not, and the training ends", arguments: [false, true])
    func mutated(_ isSealed: Bool) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("checkpoint.safetensors")
        var steps = 0
        _ = try trainer(Line(), settings(steps: 12), path: path).run(shouldStop: { steps == 3 }) { _ in
            steps += 1
        }
        let file = try SafetensorsFile(path: path)
        let contents = Dictionary(uniqueKeysWithValues: try file.names.map { ($0, try file.tensor($0)) })
        let progress = try #require(file.metadata["progress"])
        try MutatedInputs.check(
            isSealed ? "checkpoint, sealed anew" : "checkpoint",
            isSealed ? Array(progress.utf8) : FileSystem.readBytes(path)
        ) { input in
            if isSealed {
                let text = String(decoding: input, as: UTF8.self)
                let metadata = [
                    "format": file.metadata["format"] ?? "", "progress": text,
                    "sha256": try Checkpoint.digest(text, contents),
                ]
                try Safetensors.write(contents.mapValues { .float32($0) }, metadata: metadata, to: path)
            } else {
                try AtomicFile.write(input, to: path, durable: false)
            }
            let trainer = try trainer(Line(), settings(steps: 12), path: path)
            let isTaken = trainer.stepsDone > 0
            // A sum of losses can be such that the training seems to have diverged.
            _ = try? trainer.run()
            return isTaken
        }
    }

    @Test("another user's checkpoint, or nobody's, is gone on from only where others are trusted")
    func signed() throws {
        let folder = try TemporaryFolder(), path = folder.path("checkpoint.safetensors")
        let mine = try Signer.test(), other = try Signer(secret: Array("the secret of another".utf8))
        let trusting = try Signer(secret: Array("the secret of the tests".utf8), trustsOthers: true)
        for writer in [mine, other, nil] {
            var steps = 0
            _ = try trainer(Line(), settings(steps: 12), path: path, signer: writer).run(shouldStop: {
                steps == 3
            }) { _ in steps += 1 }
            let careful = try trainer(Line(), settings(steps: 12), path: path, signer: mine)
            #expect(careful.stepsDone == (writer?.owner == mine.owner ? 3 : 0))
            #expect((careful.damage?.message.contains("another user") ?? false) == (careful.stepsDone == 0))
            #expect(try trainer(Line(), settings(steps: 12), path: path, signer: trusting).stepsDone == 3)
            try FileSystem.removeFile(path)
        }
    }

    @Test("a checkpoint that cannot be written ends no training") func unsaved() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("in the way", to: folder.path("training"))
        let trainer = try trainer(
            Line(), settings(), path: folder.path("training/checkpoint.safetensors"), interval: .zero)
        #expect(try values(trainer.run()) == values(self.trainer(Line(), settings(), path: nil).run()))
        #expect(trainer.unsaved?.kind == .file)
    }

    @Test("the order shows every row once per epoch, the same for the same seed")
    func order() {
        let order = BatchOrder(rowCount: 10, batch: 4, emptyShare: 0.3, seed: 2)
        #expect(order.stepsPerEpoch == 3)
        for epoch in 0..<3 {
            let rows = (0..<3).flatMap { order.rows(step: 3 * epoch + $0) }
            #expect(rows.map(\.row).sorted() == Array(0..<10))
        }
        #expect(
            order.rows(step: 4) == BatchOrder(rowCount: 10, batch: 4, emptyShare: 0.3, seed: 2).rows(step: 4))
        #expect(order.rows(step: 0) != order.rows(step: 3))
        let many = BatchOrder(rowCount: 5000, batch: 5000, emptyShare: 0.1, seed: 1).rows(step: 0).count {
            $0.isEmpty
        }
        // Five standard deviations of a binomial.
        #expect(abs(many - 500) < 106)
    }
}
