import { generateImages } from '../../../lib/tasks/generate-images';
import type { ImageRequest } from '../../../lib/tasks/generate-images';
import type { TaskSettings } from '../../../lib/tasks/run-task';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { jsonReply } from '../../simulators/media/server';
import { PNG, startSdServerSim } from '../../simulators/media/sd-server';
import { waitFor } from '../../support/waiting/wait-for';
import { useSimulator } from '../../simulators/use-simulator';
import { connect, OPTIONS } from './media';
import { getError } from '../../support/jest/get-error';

const startSd = useSimulator(startSdServerSim);
const startLlama = useSimulator(startLlamaServerSim);

const run = async (
	sim: { url: string },
	{ model = '', ...overrides }: Partial<ImageRequest & TaskSettings> = {},
	options: Partial<TaskSettings> = {},
) => {
	const defaults = { prompt: 'a cat', count: 1, size: '', format: '', extraBody: {} } as const;
	return await generateImages(
		connect(sim.url),
		{ ...OPTIONS, model, ...options },
		{ ...defaults, ...overrides },
	);
};
const IMAGE = {
	mimeType: 'image/png',
	extension: 'png',
	width: 1,
	height: 1,
	content: Buffer.from(PNG, 'base64'),
};

/** An unrecognized server with the route for images. */
const startOther = async (body: object) => {
	const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'flux' }] });
	sim.route('POST /v1/images/generations', reply.json(body));
	return sim;
};

test.each([
	// LiteLLM 1.108.7, as a real one sent it
	'litellm.UnsupportedParamsError: Setting `response_format` is not supported by openai, smol. To drop it from the call, set `litellm.drop_params = True`.',
	"Setting {'response_format': 'b64_json'} is not supported by x",
	'Setting response_format is not supported',
	'Parameter response_format is not supported for model gpt-image-1.',
])('the form of the image is left out where the server rejects it: %s', async (message) => {
	const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'flux' }] });
	sim.route('POST /v1/images/generations', (request) =>
		'response_format' in (request.body as object)
			? reply.error(400, message)
			: reply.json({ data: [{ b64_json: PNG }] }),
	);
	const { images, warnings } = await run(sim, { model: 'flux' });
	expect([images, warnings]).toEqual([[IMAGE], []]);
});

test('first-token timeout: the error names the option to raise', async () => {
	const sim = await startSd();
	const silentReply = { ...jsonReply({}), transport: { delayHeaders: 60_000 } };
	sim.route('POST /v1/images/generations', silentReply);
	const error = await getError(run(sim, {}, { timeouts: { firstTokenMs: 2_000 } }));
	expect([error.type, error.message]).toEqual([
		'firstTokenTimeout',
		'The server did not start to respond within the First Token Timeout',
	]);
	// A slow machine may have sent none.
	const getPosts = () => sim.requests.filter(({ method }) => method === 'POST');
	await waitFor(() => getPosts().every(({ signal }) => signal.aborted));
});

test('fewer images than requested succeed with a warning', async () => {
	const { images, warnings } = await run(await startSd({ makes: 2 }), {
		count: 3,
	});
	expect([images.length, warnings]).toEqual([2, ['The server returned 2 of 3 requested images.']]);
});

describe('OpenAI’s route', () => {
	const URL = `data:image/png;base64,${PNG}`;

	test.each<[object]>([
		[{ images: [PNG] }],
		[{ output: [URL] }],
		[{ image: PNG }],
		[{ data: [{ image_url: { url: URL } }] }],
		[{ artifacts: [{ base64: PNG }] }],
		[[{ b64_json: PNG }]],
	])('an image in another form: %j', async (body) => {
		const { images } = await run(await startOther(body), { model: 'flux' });
		expect(images).toEqual([IMAGE]);
	});

	test('a rejected response_format is omitted', async () => {
		const sim = await startOther({});
		sim.route('POST /v1/images/generations', (request) =>
			(request.body as object) && 'response_format' in (request.body as object)
				? reply.llamaError(400, "Unknown parameter: 'response_format'.")
				: reply.json({ data: [{ b64_json: PNG }] }),
		);
		expect((await run(sim, { model: 'flux' })).images).toEqual([IMAGE]);
	});

	test.each<[string, object, object]>([
		[
			'an error inside a 200',
			{ error: { message: 'out of memory' } },
			{ type: 'modelCrashed', serverText: 'out of memory' },
		],
		['no image', { data: [] }, { type: 'emptyResponse' }],
		[
			'not an image',
			{ data: [{ b64_json: 'aGVsbG8=' }] },
			{ type: 'invalidResponse', message: 'The server response is not an image' },
		],
		[
			'an address',
			{ data: [{ url: 'http://169.254.169.254/latest' }] },
			{ type: 'invalidResponse', message: 'The server response is not an image' },
		],
	])('an error instead of an image: %s', async (_name, body, expected) => {
		expect(await getError(run(await startOther(body), { model: 'flux' }))).toMatchObject(expected);
	});
});

test('before anything is sent: no prompt, and an invalid size', async () => {
	const sim = await startOther({});
	expect((await getError(run(sim, { prompt: ' ' }))).message).toBe('The prompt is empty');
	expect((await getError(run(sim, { size: '512' }))).message).toBe('The size "512" is not valid');
	expect(sim.requests.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('llama-server has no route: the error names servers that can', async () => {
	const error = await getError(run(await startLlama(), { model: 'sim-model' }));
	expect([error.message, error.status]).toEqual(['llama-server cannot generate images', 404]);
	expect(error.suggestion).toContain('GPUStack');
});
