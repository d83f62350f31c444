import type { INodeExecutionData } from 'n8n-workflow';

import { PNG, startSdServerSim } from '../../../servers/media/sd-server';
import { useSimulator } from '../../../servers/use-simulator';
import { useLocalLlama, type Setup } from '../run-node';

const { serve, prepare, executeIn, failure } = useLocalLlama();
const startSd = useSimulator(startSdServerSim);
beforeEach(async () => {
	await serve();
});

const picture = (fileName: string) => ({ data: PNG, mimeType: 'image/png', fileName });
const setupFor = (
	sim: { url: string },
	parameters: Record<string, unknown>,
	more: Setup = {},
): Setup => ({
	credentials: { baseUrl: sim.url },
	parameters: { resource: 'image', model: '', prompt: 'a cat', ...parameters },
	...more,
});
const run = async (sim: { url: string }, parameters: Record<string, unknown>, more: Setup = {}) => {
	const fake = prepare(setupFor(sim, parameters, more));
	return { ...fake, items: await executeIn(fake) };
};
const nameOf = ({ binary }: INodeExecutionData, field = 'data') => binary![field]!.fileName;

test('Generate: an item for each picture, with its facts for an agent that sees no file', async () => {
	const sim = await startSd();
	const { items, hints } = await run(sim, {
		operation: 'generate',
		options: {
			count: 2,
			size: '512 x 768',
			outputFormat: 'png',
			negativePrompt: 'dog',
			steps: 8,
			guidance: 1,
			seed: 5,
			fileName: 'cat',
			extraBody: '{"clip_skip":1}',
		},
	});
	expect(items.map((item) => nameOf(item))).toEqual(['cat-1.png', 'cat-2.png']);
	expect(items[0]).toMatchObject({
		json: {
			fileName: 'cat-1.png',
			mimeType: 'image/png',
			bytes: 70,
			width: 1,
			height: 1,
			prompt: 'a cat',
			job: { queuedSeconds: 3, generatingSeconds: 12 },
		},
		binary: { data: { data: PNG, mimeType: 'image/png' } },
		pairedItem: { item: 0 },
	});
	expect(hints).toEqual([]);
	expect(sim.jobs[0]!.body).toEqual({
		prompt: 'a cat',
		batch_count: 2,
		width: 512,
		height: 768,
		output_format: 'png',
		negative_prompt: 'dog',
		seed: 5,
		sample_params: { sample_steps: 8, guidance: { txt_cfg: 1 } },
		clip_skip: 1,
	});
});

test('fewer pictures than asked for: those, and a hint', async () => {
	const { items, hints } = await run(await startSd({ makes: 2 }), {
		operation: 'generate',
		options: { count: 3 },
	});
	expect(items).toHaveLength(2);
	expect(hints).toEqual([
		expect.objectContaining({ message: expect.stringContaining('2 of the 3') as string }),
	]);
});

test('Edit: pictures and mask out of the item, with their names', async () => {
	const sim = await startSd({ withoutJobs: true });
	const items = [
		{
			json: {},
			binary: { a: picture('street.png'), b: picture('sky'), mask: picture('mask.png') },
		},
	];
	const parameters = {
		operation: 'edit',
		binaryPropertyName: 'a, b',
		options: { maskPropertyName: 'mask' },
	};
	await run(sim, parameters, { items });
	expect(sim.forms[0]!.parts.map(({ name, filename }) => [name, filename])).toEqual([
		['image[]', 'street.png'],
		['image[]', 'sky.png'],
		['mask', 'mask.png'],
	]);
	expect(
		(await failure({}, setupFor(sim, { ...parameters, binaryPropertyName: ' ' }, { items })))
			.message,
	).toBe('The field "Input Binary Fields" is empty');
});

test('Stop cancels the job on the server', async () => {
	const sim = await startSd();
	sim.hold = true;
	const abort = new AbortController();
	const running = failure({}, setupFor(sim, { operation: 'generate' }, { signal: abort.signal }));
	await sim.until(() => (sim.jobs[0]?.polls ?? 0) > 0);
	abort.abort();
	expect((await running).message).toBe('The request was cancelled');
	expect(sim.jobs[0]!.status).toBe('cancelled');
});
