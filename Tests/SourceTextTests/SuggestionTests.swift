import SourceText
import Testing

@Suite("Suggestions")
struct SuggestionTests {
    static let names = ["of", "left", "seed", "size", "scheduler", "guidance", "denoise", "noise"]

    @Test(
        "the closest name is found",
        arguments: [
            ("off", "of"), ("sede", "seed"), ("Scheduler", "scheduler"), ("guidence", "guidance"),
            ("dneoise", "denoise"), ("LEFT", "left"),
        ])
    func closest(_ pair: (String, String)) {
        #expect(Suggestion.closest(to: pair.0, in: SuggestionTests.names) == pair.1)
    }

    @Test("what is far from everything gets no suggestion", arguments: ["", "x", "temperature", "zz"])
    func none(_ name: String) { #expect(Suggestion.closest(to: name, in: SuggestionTests.names) == nil) }

    @Test(
        "a swap of neighbours is one edit, and no letter is edited twice",
        arguments: [
            ("ca", "abc", 3), ("ab", "ba", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0),
        ])
    func distance(_ sample: (String, String, Int)) {
        #expect(Suggestion.distance(Array(sample.0), Array(sample.1)) == sample.2)
        #expect(Suggestion.distance(Array(sample.1), Array(sample.0)) == sample.2)
    }
}
