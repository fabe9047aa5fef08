import Kernels
import Synchronization
import Testing

@Suite("Thread pool") struct ThreadPoolTests {
    @Test("what is put off is done once each, between jobs and when no other job comes") func chores()
        async throws
    {
        let done = (0..<200).map { _ in Counter() }
        for counter in done {
            // Also a job now and then, so that there are workers and they have other things to do.
            if counter === done[0] || counter === done[77] { ThreadPool.shared.run(8) { _ in } }
            ThreadPool.shared.later { counter.value.wrappingAdd(1, ordering: .relaxed) }
        }
        while done.contains(where: { $0.value.load(ordering: .relaxed) == 0 }) {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(done.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
    }

    private final class Counter: Sendable {
        let value = Atomic(0)
    }
}
