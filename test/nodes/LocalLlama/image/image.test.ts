import type { INodeExecutionData } from 'n8n-workflow';

import { PNG, startSdServerSim } from '../../../simulators/media/sd-server';
import { useSimulator } from '../../../simulators/use-simulator';
import { useLocalLlama, type Setup } from '../run-node';

const { serve, prepare, executeIn } = useLocalLlama();
const startSd = useSimulator(startSdServerSim);
beforeEach(async () => {
	await serve();
});

const buildSetup = (
	sim: { url: string },
	parameters: Record<string, unknown>,
	overrides: Setup = {},
): Setup => ({
	credentials: { baseUrl: sim.url },
	parameters: { resource: 'image', model: '', prompt: 'a cat', ...parameters },
	...overrides,
});
const run = async (
	sim: { url: string },
	parameters: Record<string, unknown>,
	overrides: Setup = {},
) => {
	const fake = prepare(buildSetup(sim, parameters, overrides));
	return { ...fake, items: await executeIn(fake) };
};
const getFileName = ({ binary }: INodeExecutionData, field = 'data') => binary![field]!.fileName;

test('Generate: one item per image, with metadata for agents, which do not receive the file', async () => {
	const sim = await startSd();
	const { items, hints } = await run(sim, {
		operation: 'generate',
		options: {
			count: 2,
			size: '512 x 768',
			outputFormat: 'png',
			seed: 5,
			fileName: 'cat',
			extraBody: '{"steps":8}',
			simplify: false,
		},
	});
	expect(items.map((item) => getFileName(item))).toEqual(['cat-1.png', 'cat-2.png']);
	expect(items[0]).toMatchObject({
		json: {
			output: { fileName: 'cat-1.png', mimeType: 'image/png', bytes: 70, width: 1, height: 1 },
			metadata: { prompt: 'a cat', model: 'sd-cpp-local' },
		},
		binary: { data: { data: PNG, mimeType: 'image/png' } },
		pairedItem: { item: 0 },
	});
	expect(hints).toMatchObject([
		{ message: 'The server returned an image of 1x1 pixels instead of 512x768.' },
	]);
	expect(sim.requests.at(-1)!.body).toEqual({
		model: 'sd-cpp-local',
		prompt: 'a cat',
		n: 2,
		size: '512x768',
		output_format: 'png',
		seed: 5,
		response_format: 'b64_json',
		steps: 8,
	});
});
