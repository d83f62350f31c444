import type * as hostClasses from '../../../lib/langchain/host-classes';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { chatModel } from '../../guarantees/support/node-runner';

jest.mock('../../../lib/langchain/host-classes', () => ({
	...jest.requireActual<typeof hostClasses>('../../../lib/langchain/host-classes'),
	findHostClasses: async () => await Promise.resolve({ type: 'missing', missing: 'no tracer' }),
}));

const start = useSimulator(startLlamaServerSim);

test('in an n8n whose classes are missing, the model answers by the SDK, and the log says what is lost', async () => {
	const server = await start({});
	server.script(reply.text('Tokyo'));
	const { supplied, warnings } = await chatModel(server.url);
	expect(await supplied.invoke('What is the capital of Japan?')).toMatchObject({
		content: [{ type: 'text', text: 'Tokyo' }],
	});
	expect(warnings).toEqual([
		expect.stringMatching(
			/: this n8n version has a different structure \(no tracer\), so the SDK adapter is used\. Images, thinking and timings are lost\.$/,
		),
	]);
});
