import Autodiff
import Files
import Models
import Tensors
import TestSupport
import Testing

@Suite("Training of UNets with only_cross_attention")
struct OnlyCrossAttentionTests {
    @Test("the tape's forward pass is the reference's: the middle block attends to itself")
    func forward() throws {
        let topic = try Golden.laterTopic("folders")
        let folders = try topic.folder("unets").folders()
        #expect(folders.count >= 3)
        for folder in folders {
            let unet = try UNet(folder: folder.path)
            let weights = try WeightFiles.open(folder: folder.path), io = try folder.tensors("io.safetensors")
            let parameters = Parameters(
                try UNet.parameters(unet.configuration).map {
                    ($0.name, try weights.tensor($0.name).reshaped($0.shape))
                })
            let tape = Tape(parameters)
            let out = UNetGraph(unet.configuration).predict(
                tape, sample: tape.constant(try io.tensor("sample").channelsLast),
                timesteps: try io.tensor("timestep").values,
                context: tape.constant(try io.tensor("context")))
            let tolerance = try #require(try folder.json("case.json")["tol_abs"]?.double)
            expectClose(
                actual: out.value, expected: try io.tensor("out").channelsLast, absolute: tolerance,
                folder.name)
        }
    }
}
