import { generateImages } from '../../../lib/tasks/generate-images';
import type { ImageRequest } from '../../../lib/tasks/images';
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

	const toBase64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

	test.each([
		{ text: '<svg xmlns="x"><script>alert(1)</script></svg>', is: 'an SVG document, which may' },
		{
			text: '\xef\xbb\xbf<?xml version="1.0"?><!-- a --><svg onload="x()"/>',
			is: 'an SVG document',
		},
		{ text: '<!DOCTYPE html><script>alert(1)</script>', is: 'text' },
		{ text: '{"error":"out of memory"}', is: 'text' },
		{ text: 'The model is loading', is: 'text' },
		{ text: '%PDF-1.7\n\0\0', is: 'a file (application/pdf)' },
		{ text: 'PK\x03\x04\x14\0', is: 'a file (application/zip)' },
		{ text: 'ID3\x04\0\0', is: 'sound (audio/mpeg)' },
		{ text: '\0\0\0\x20ftypisom', is: 'a video (video/mp4)' },
		{ text: '\x01\x02\x03\x04', is: '4 bytes of an unknown type' },
		{ text: '', is: undefined },
	])('an image that is $is is an error: $text', async ({ text, is }) => {
		for (const prefix of ['', 'data:image/png;base64,']) {
			const image = { b64_json: prefix + toBase64(text) };
			const failed = await getError(run(await startOther({ data: [image] }), { model: 'flux' }));
			if (is === undefined) expect(failed.type).toMatch(/Response$/);
			else expect(failed.detail).toContain(`The server response is not an image, but ${is}`);
		}
	});

	test.each<[string, object, object]>([
		[
			'an error inside a 200',
			{ error: { message: 'out of memory' } },
			{ type: 'serverError', message: 'out of memory' },
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

describe('errors that name the size in a place', () => {
	const fail = async (size: string, message: string, status = 400) => {
		const sim = await startOther({});
		sim.route('POST /v1/images/generations', reply.error(status, message));
		return await getError(run(sim, { model: 'flux', size }));
	};

	it.each<{ size: string; message: string }>([
		// diffusers
		{
			size: '500x500',
			message: '`height` and `width` have to be divisible by 8 but are 500 and 500.',
		},
		// Runware, and Azure behind LiteLLM
		{
			size: '64x64',
			message:
				"Invalid value for 'width' parameter. Image width must be an integer value between 256 and 16383, in multiples of '1'.",
		},
		{
			size: '512x512',
			message:
				"Model does not support request parameter value supplied: 'width' must be at least 768 pixels.",
		},
	])('$size: $message', async ({ size, message }) => {
		const error = await fail(size, message);
		expect(error.message).toMatch(/^Size: /);
		expect(error.suggestion).toMatch(/^Change "Size"/);
		// Advice that is followed already is not given.
		expect(error.suggestion.includes('multiples of 64')).toBe(size.startsWith('500'));
	});

	it.each<{ size: string; message: string }>([
		{ size: '', message: "'width' must be at least 768 pixels" },
		{ size: '250x250', message: 'image dimensions must be multiples of 64' },
		{ size: '300x300', message: 'Sizes of tensors must match except in dimension 1.' },
		{ size: '512x512', message: 'The batch size is too large for this model' },
		{ size: '512x512', message: 'The sampler is not known' },
	])('something else with $size: $message', async ({ size, message }) => {
		expect((await fail(size, message)).message).not.toMatch(/^Size: /);
	});

	test('a field of Extra Body that is a part of the size stays', async () => {
		const sim = await startOther({});
		const bodies: unknown[] = [];
		sim.route('POST /v1/images/generations', (request) => {
			bodies.push(request.body);
			return 'size' in (request.body as object)
				? reply.error(400, "Unknown parameter: 'size'.")
				: reply.json({ data: [{ b64_json: PNG }] });
		});
		await run(sim, { model: 'flux', size: '64x64', extraBody: { image_size: '1K' } });
		expect(bodies.at(-1)).toMatchObject({ image_size: '1K' });
		expect(bodies.at(-1)).not.toHaveProperty('size');
	});

	test('a server without models for images says so itself: Ollama', async () => {
		const error = await fail('', 'image generation models are not currently supported');
		expect(error.message).toBe('image generation models are not currently supported');
		expect(error.suggestion).not.toMatch(/mmproj/);
	});
});
