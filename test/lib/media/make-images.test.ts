import fc from 'fast-check';

import { imageAddress } from '../../../lib/media/fetch-image';
import { makeImages } from '../../../lib/media/make-images';
import type { ImageOptions, ImageRequest } from '../../../lib/media/types';
import { type PlainReply, reply, startLlamaServerSim } from '../../servers/llama-server';
import { jsonReply } from '../../servers/media/server';
import { PNG, startSdServerSim } from '../../servers/media/sd-server';
import { useSimulator } from '../../servers/use-simulator';
import { ServerPool } from '../../../lib/servers/pool/server-pool';
import { closedPort } from '../../support/listening';
import { examples } from '../../support/properties';
import { connect, failureOf, fileOf, OPTIONS } from './media';

const startSd = useSimulator(startSdServerSim);
const startLlama = useSimulator(startLlamaServerSim);

const requestOf = (over: Partial<ImageRequest> = {}): ImageRequest => ({
	model: '',
	prompt: 'a cat',
	count: 1,
	size: '',
	format: '',
	negativePrompt: '',
	extra: {},
	images: [],
	...over,
});
const run = async (
	sim: { url: string },
	over: Partial<ImageRequest> = {},
	options: Partial<ImageOptions> = {},
	key?: string,
) => await makeImages(connect(sim.url, key), requestOf(over), { ...OPTIONS, ...options });
const PICTURE = {
	mimeType: 'image/png',
	extension: 'png',
	width: 1,
	height: 1,
	content: Buffer.from(PNG, 'base64'),
};
const picture = (name = 'cat') => fileOf(Buffer.from(PNG, 'base64'), name, 'image/png');

/** A server of no kind that is known, with the route for pictures. */
const startOther = async (answer: object) => {
	const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'flux' }] });
	for (const route of ['generations', 'edits'])
		sim.route(`POST /v1/images/${route}`, reply.json(answer));
	return sim;
};

describe('sd-server', () => {
	test('makes pictures in a job, and tells how it goes on', async () => {
		const sim = await startSd();
		const seen: unknown[] = [];
		const onProgress: ImageOptions['onProgress'] = ({ status, queuePosition }) =>
			seen.push([status, queuePosition]);
		const { images, job, remarks } = await run(
			sim,
			{
				count: 2,
				size: '512x768',
				steps: 20,
				guidance: 7,
				seed: 42,
				negativePrompt: 'dog',
				format: 'png',
				extra: { sample_params: { sample_method: 'euler' }, clip_skip: 2 },
			},
			{ onProgress },
		);
		expect([images, remarks]).toEqual([[PICTURE, PICTURE], []]);
		expect(job).toEqual({ id: 'job_69f_00000001', queuedSeconds: 3, generatingSeconds: 12 });
		expect(seen).toEqual([['generating', 0]]);
		expect(sim.jobs[0]!.body).toEqual({
			prompt: 'a cat',
			batch_count: 2,
			width: 512,
			height: 768,
			output_format: 'png',
			negative_prompt: 'dog',
			seed: 42,
			sample_params: { sample_steps: 20, guidance: { txt_cfg: 7 }, sample_method: 'euler' },
			clip_skip: 2,
		});
	});

	test('edits are a job as well, with the size of the picture', async () => {
		const sim = await startSd();
		await run(sim, { images: [picture()], mask: picture('mask.png') });
		expect(sim.jobs[0]!.body).toMatchObject({
			init_image: PNG,
			ref_images: [PNG],
			mask_image: PNG,
			width: 1,
			height: 1,
		});
	});

	test('Stop cancels the job', async () => {
		const sim = await startSd();
		sim.hold = true;
		const abort = new AbortController();
		const running = failureOf(run(sim, {}, { signal: abort.signal }));
		await sim.until(() => (sim.jobs[0]?.polls ?? 0) > 0);
		abort.abort();
		expect(await running).toMatchObject({ kind: 'aborted' });
		expect(sim.jobs[0]!.status).toBe('cancelled');
		await sim.until(() => sim.requests.every(({ endedBy }) => endedBy !== undefined));
	});

	test('a limit during failed status requests names that failure', async () => {
		const sim = await startSd();
		sim.hold = true;
		const running = failureOf(run(sim, {}, { limits: { firstTokenMs: 1_500 } }));
		await sim.until(() => (sim.jobs[0]?.polls ?? 0) > 0);
		await sim.close();
		expect(await running).toMatchObject({ kind: 'refused' });
	});

	test('a limit cancels it, too, and the error says where the job stood', async () => {
		const sim = await startSd();
		sim.hold = true;
		const failed = await failureOf(run(sim, {}, { limits: { firstTokenMs: 900 } }));
		expect(failed).toMatchObject({ kind: 'firstTokenLimit' });
		expect(failed.meaning).toContain("it waited in the server's queue, at place 2");
		expect(sim.jobs[0]!.status).toBe('cancelled');
	});

	test('a server that says nothing within the limit: what to raise', async () => {
		const sim = await startSd({ withoutJobs: true });
		const never = { ...jsonReply({}), transport: { delayHeaders: 60_000 } };
		sim.route('POST /v1/images/generations', never);
		const failed = await failureOf(run(sim, {}, { limits: { firstTokenMs: 2_000 } }));
		expect([failed.kind, failed.message]).toEqual([
			'firstTokenLimit',
			'The server did not begin to answer within the first-token limit',
		]);
		await sim.until(() => sim.requests.some(({ endedBy }) => endedBy === 'client-abort'));
	});

	test('a job that fails, and one that the server forgets', async () => {
		const sim = await startSd({ ends: 'failed' });
		expect(await failureOf(run(sim))).toMatchObject({
			code: 'generation_failed',
			serverText: 'generate_image returned no results',
		});
		sim.route('GET /sdcpp/v1/jobs/job_69f_00000002', jsonReply({ error: 'job expired' }, 410));
		expect((await failureOf(run(sim))).message).toBe('The server has forgotten the job');
	});

	test('before it had jobs', async () => {
		const sim = await startSd({ withoutJobs: true });
		expect((await run(sim)).images).toEqual([PICTURE]);
		expect(sim.requests.at(-1)!.body).toEqual({ prompt: 'a cat', n: 1 });
		await run(sim, { images: [picture(), picture('b.png')], mask: picture('m') });
		expect(
			sim.forms.at(-1)!.parts.map(({ name, filename, mimeType }) => [name, filename, mimeType]),
		).toEqual([
			['image[]', 'cat.png', 'image/png'],
			['image[]', 'b.png', 'image/png'],
			['mask', 'm.png', 'image/png'],
		]);
	});

	test('fewer pictures than were asked for are a success with a remark', async () => {
		const { images, remarks } = await run(await startSd({ makes: 2 }), { count: 3 });
		expect([images.length, remarks]).toEqual([
			2,
			['The server made 2 of the 3 pictures that were asked for.'],
		]);
	});
});

describe('OpenAI’s routes', () => {
	test('every field, with base64 asked for', async () => {
		const sim = await startOther({
			data: [{ b64_json: `data:image/png;base64,${PNG}`, revised_prompt: 'A cat' }],
		});
		const { images } = await run(sim, {
			model: 'flux',
			size: '512x512',
			seed: 1,
			steps: 4,
			guidance: 3.5,
			extra: { quality: 'hd' },
		});
		expect(images).toEqual([{ ...PICTURE, revisedPrompt: 'A cat' }]);
		expect(sim.requests.at(-1)!.body).toEqual({
			model: 'flux',
			prompt: 'a cat',
			n: 1,
			size: '512x512',
			steps: 4,
			cfg_scale: 3.5,
			seed: 1,
			response_format: 'b64_json',
			quality: 'hd',
		});
	});

	test('a server that refuses the form of the answer is asked without it', async () => {
		const sim = await startOther({});
		sim.route('POST /v1/images/generations', (request) =>
			(request.body as object) && 'response_format' in (request.body as object)
				? reply.llamaError(400, "Unknown parameter: 'response_format'.")
				: reply.json({ data: [{ b64_json: PNG }] }),
		);
		expect((await run(sim, { model: 'flux' })).images).toEqual([PICTURE]);
	});

	describe('pictures by their address', () => {
		const png: PlainReply = {
			kind: 'plain',
			dressed: false,
			reply: {
				status: 200,
				headers: [
					['content-type', 'application/octet-stream'],
					['content-length', '*'],
				],
				body: Buffer.from(PNG, 'base64'),
			},
		};

		test('come from the servers of the credential; only the own one gets the key', async () => {
			const further = await startLlama();
			const sim = await startOther({
				data: [{ url: '/files/a.png' }, { url: `${further.url}/b.png` }],
			});
			sim.route('GET /files/a.png', png);
			further.route('GET /b.png', png);
			const [first, second] = [connect(sim.url, 'secret'), connect(further.url)];
			const pool = new ServerPool([{ connection: first }, { connection: second }]);
			const request = requestOf({ model: 'flux', count: 2 });
			const { images } = await makeImages(pool, request, OPTIONS);
			expect(images).toEqual([PICTURE, PICTURE]);
			expect(sim.requests.at(-1)!.headers.authorization).toBe('Bearer secret');
			expect(further.requests.at(-1)!.headers.authorization).toBeUndefined();
		});

		test('another origin is not asked, directly or after redirects', async () => {
			const elsewhere = await startLlama();
			const { host } = new URL(elsewhere.url);
			const targets = fc.constantFrom(
				`http://${host.replace('127.0.0.1', '0.0.0.0')}`,
				`http://user:word@${host.replace('127.0.0.1', '0.0.0.0')}`,
				'http://10.0.0.7',
				'http://169.254.169.254',
				'http://[fd00::1]',
				'https://files.example.com',
			);
			const afterRedirect = fc.constantFrom(
				elsewhere.url,
				`http://localhost:${new URL(elsewhere.url).port}`,
			);
			await fc.assert(
				fc.asyncProperty(
					fc.oneof(
						fc.record({ target: targets, redirects: fc.nat(3) }),
						fc.record({ target: afterRedirect, redirects: fc.integer({ min: 1, max: 3 }) }),
					),
					async ({ target, redirects }) => {
						const url = redirects === 0 ? `${target}/b.png` : '/hop/1';
						const sim = await startOther({ data: [{ url }] });
						for (let hop = 1; hop <= redirects; hop++) {
							const next = hop === redirects ? `${target}/b.png` : `/hop/${hop + 1}`;
							sim.route(`GET /hop/${hop}`, reply.redirect(next, 302));
						}
						const failed = await failureOf(run(sim, { model: 'flux' }, {}, 'secret'));
						expect(failed).toMatchObject({ kind: 'invalidAnswer' });
						expect(failed.message).toContain(
							`The picture lies at ${new URL(target).origin}, which is`,
						);
						expect(failed.remedy).toContain('base64');
					},
				),
				examples(30),
			);
			expect(elsewhere.requests).toEqual([]);
		});

		test('are absolute or relative, and localhost is the server itself', () => {
			const at = (root: string, address: string) => {
				const { origin } = new URL(root);
				const url = { typed: '', origin, root, api: `${root}/v1` };
				return imageAddress({ url }, address, [origin, 'http://localhost:1234']);
			};
			expect(at('http://gpu:8080/x', 'out/a.png')).toBe('http://gpu:8080/x/out/a.png');
			expect(at('http://gpu:8080', 'https://cdn/a.png')).toBe('https://cdn/a.png');
			expect(at('http://gpu:8080', 'http://user:word@gpu:8080/a')).toBe('http://gpu:8080/a');
			// LocalAI names itself as it sees itself.
			expect(at('http://gpu:9000', 'http://localhost:8080/g/a.png')).toBe(
				'http://gpu:9000/g/a.png',
			);
			expect(at('http://localhost:9000', 'http://127.0.0.1:8080/a.png')).toBe(
				'http://localhost:9000/a.png',
			);
			expect(at('http://gpu', 'http://localhost:1234/a')).toBe('http://localhost:1234/a');
			expect(at('http://gpu', 'file:///etc/passwd')).toBeUndefined();
		});
	});

	test.each<[string, object, object]>([
		[
			'an error inside a 200',
			{ error: { message: 'out of memory' } },
			{ kind: 'serverError', serverText: 'out of memory' },
		],
		['no picture', { data: [] }, { kind: 'emptyAnswer' }],
		[
			'what is none',
			{ data: [{ b64_json: 'aGVsbG8=' }] },
			{ kind: 'invalidAnswer', message: 'What the server sent is not a picture' },
		],
	])('%s', async (_name, answer, expected) => {
		expect(await failureOf(run(await startOther(answer), { model: 'flux' }))).toMatchObject(
			expected,
		);
	});
});

describe('Stable Diffusion WebUI (AUTOMATIC1111)', () => {
	const startWebUi = async () => {
		const sim = await startLlama({ profile: 'fastapi' });
		const answer = { images: [PNG, PNG], parameters: {}, info: '{"all_seeds":[41,42]}' };
		for (const route of ['txt2img', 'img2img'])
			sim.route(`POST /sdapi/v1/${route}`, reply.json(answer));
		return sim;
	};

	test('is found where OpenAI’s route is missing', async () => {
		const sim = await startWebUi();
		const { images } = await run(sim, {
			model: 'dreamshaper',
			count: 2,
			size: '512x768',
			steps: 30,
			guidance: 7,
			seed: 41,
			negativePrompt: 'dog',
			extra: { sampler_name: 'Euler a' },
		});
		expect(images.map(({ seed }) => seed)).toEqual([41, 42]);
		expect(sim.requests.at(-1)!.body).toEqual({
			prompt: 'a cat',
			batch_size: 2,
			negative_prompt: 'dog',
			width: 512,
			height: 768,
			steps: 30,
			cfg_scale: 7,
			seed: 41,
			override_settings: { sd_model_checkpoint: 'dreamshaper' },
			sampler_name: 'Euler a',
		});
	});

	test('edits', async () => {
		const sim = await startWebUi();
		await run(sim, { images: [picture()], mask: picture('mask') });
		expect(sim.requests.at(-1)).toMatchObject({
			path: '/sdapi/v1/img2img',
			body: { init_images: [PNG], mask: PNG },
		});
	});

	test('what it refuses is told, and a server that has neither is told by the first', async () => {
		const sim = await startWebUi();
		sim.route(
			'POST /sdapi/v1/txt2img',
			reply.error(500, { error: 'OutOfMemoryError', detail: '' }),
		);
		expect(await failureOf(run(sim))).toMatchObject({
			kind: 'serverError',
			serverText: 'OutOfMemoryError',
		});
		const other = await startLlama({ profile: 'fastapi' });
		expect((await failureOf(run(other))).url).toBe(`${other.url}/v1/images/generations`);
	});
});

describe('several servers', () => {
	test('the next one makes the picture where one is off', async () => {
		const sim = await startSd();
		const off = connect(`http://127.0.0.1:${await closedPort()}`);
		const pool = new ServerPool([{ connection: off }, { connection: connect(sim.url) }]);
		const { images, remarks } = await makeImages(pool, requestOf(), OPTIONS);
		expect([images, remarks]).toEqual([
			[PICTURE],
			[expect.stringContaining('did not take the request')],
		]);
	});

	test('an image that was generated but not delivered is not generated again', async () => {
		const sim = await startOther({ data: [{ url: '/files/gone.png' }] });
		sim.route('GET /files/gone.png', reply.llamaError(404, 'File Not Found'));
		const pool = new ServerPool([
			{ connection: connect(sim.url) },
			{ connection: connect((await startSd()).url) },
		]);
		expect(await failureOf(makeImages(pool, requestOf({ model: 'm' }), OPTIONS))).toMatchObject({
			kind: 'invalidAnswer',
			status: 404,
			message: 'The server made a picture, but does not give it out',
		});
	});
});

describe('before anything is sent', () => {
	test('no prompt, a size that is none, no model for GPUStack', async () => {
		const sim = await startOther({});
		expect((await failureOf(run(sim, { prompt: ' ' }))).message).toBe('There is no prompt');
		expect((await failureOf(run(sim, { size: '512' }))).message).toBe(
			'The size "512" is not valid',
		);
		expect((await failureOf(run(sim))).message).toBe('GPUStack needs the name of a model');
		expect(sim.requests.filter(({ method }) => method === 'POST')).toEqual([]);
	});

	test('Ollama would answer nothing after half a minute', async () => {
		const sim = await startLlama({ profile: 'ollama' });
		const failed = await failureOf(run(sim, { model: 'qwen3' }));
		expect([failed.message, failed.remedy]).toEqual([
			'Ollama cannot make pictures',
			expect.stringContaining('LocalAI and sd-server'),
		]);
		expect(sim.requests.filter(({ path }) => path.includes('images'))).toEqual([]);
	});
});

test('llama-server has no route: the error names servers that can', async () => {
	const failed = await failureOf(run(await startLlama(), { model: 'sim-model' }));
	expect([failed.message, failed.status]).toEqual(['llama-server cannot make pictures', 404]);
	expect(failed.remedy).toContain('GPUStack');
});
