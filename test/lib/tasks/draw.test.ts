import fc from 'fast-check';

import { addressOf, draw, type DrawRequest } from '../../../lib/tasks/draw';
import type { TaskSettings } from '../../../lib/tasks/task';
import { type PlainReply, reply, startLlamaServerSim } from '../../servers/llama-server';
import { jsonReply } from '../../servers/media/server';
import { PNG, startSdServerSim } from '../../servers/media/sd-server';
import { useSimulator } from '../../servers/use-simulator';
import { examples } from '../../support/properties';
import { connect, failureOf, OPTIONS } from './media';

const startSd = useSimulator(startSdServerSim);
const startLlama = useSimulator(startLlamaServerSim);

const requestOf = (over: Partial<DrawRequest> = {}): DrawRequest => ({
	prompt: 'a cat',
	count: 1,
	size: '',
	format: '',
	extra: {},
	...over,
});
const run = async (
	sim: { url: string },
	{ model = '', ...over }: Partial<DrawRequest & TaskSettings> = {},
	options: Partial<TaskSettings> = {},
	key?: string,
) => await draw(connect(sim.url, key), { ...OPTIONS, model, ...options }, requestOf(over));
const PICTURE = {
	mimeType: 'image/png',
	extension: 'png',
	width: 1,
	height: 1,
	content: Buffer.from(PNG, 'base64'),
};

/** A server of no kind that is known, with the route for pictures. */
const startOther = async (answer: object) => {
	const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'flux' }] });
	sim.route('POST /v1/images/generations', reply.json(answer));
	return sim;
};

test('a server that says nothing within the limit: what to raise', async () => {
	const sim = await startSd();
	const never = { ...jsonReply({}), transport: { delayHeaders: 60_000 } };
	sim.route('POST /v1/images/generations', never);
	const failed = await failureOf(run(sim, {}, { limits: { firstTokenMs: 2_000 } }));
	expect([failed.kind, failed.message]).toEqual([
		'firstTokenLimit',
		'The server did not begin to answer within the first-token limit',
	]);
	await sim.until(() => sim.requests.some(({ endedBy }) => endedBy === 'client-abort'));
});

test('Stop closes the connection', async () => {
	const sim = await startSd();
	const never = { ...jsonReply({}), transport: { delayHeaders: 60_000 } };
	sim.route('POST /v1/images/generations', never);
	const abort = new AbortController();
	const running = failureOf(run(sim, {}, { signal: abort.signal }));
	await sim.until(() => sim.requests.some(({ method }) => method === 'POST'));
	abort.abort();
	expect(await running).toMatchObject({ kind: 'aborted' });
	await sim.until(() => sim.requests.some(({ endedBy }) => endedBy === 'client-abort'));
});

test('fewer pictures than were asked for are a success with a remark', async () => {
	const { pictures, hints } = await run(await startSd({ makes: 2 }), { count: 3 });
	expect([pictures.length, hints]).toEqual([
		2,
		['The server made 2 of the 3 pictures that were asked for.'],
	]);
});

describe('OpenAI’s route', () => {
	test('every field, with base64 asked for', async () => {
		const sim = await startOther({
			data: [{ b64_json: `data:image/png;base64,${PNG}`, revised_prompt: 'A cat' }],
		});
		const { pictures } = await run(sim, {
			model: 'flux',
			size: '512x512',
			seed: 1,
			format: 'png',
			extra: { quality: 'hd', steps: 4 },
		});
		expect(pictures).toEqual([{ ...PICTURE, revisedPrompt: 'A cat' }]);
		expect(sim.requests.at(-1)!.body).toEqual({
			model: 'flux',
			prompt: 'a cat',
			n: 1,
			size: '512x512',
			output_format: 'png',
			seed: 1,
			response_format: 'b64_json',
			quality: 'hd',
			steps: 4,
		});
	});

	test('a server that refuses the form of the answer is asked without it', async () => {
		const sim = await startOther({});
		sim.route('POST /v1/images/generations', (request) =>
			(request.body as object) && 'response_format' in (request.body as object)
				? reply.llamaError(400, "Unknown parameter: 'response_format'.")
				: reply.json({ data: [{ b64_json: PNG }] }),
		);
		expect((await run(sim, { model: 'flux' })).pictures).toEqual([PICTURE]);
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

		test('come from the server of the credential, with its key', async () => {
			const sim = await startOther({ data: [{ url: '/files/a.png' }] });
			sim.route('GET /files/a.png', png);
			const { pictures } = await run(sim, { model: 'flux' }, {}, 'secret');
			expect(pictures).toEqual([PICTURE]);
			expect(sim.requests.at(-1)!.headers.authorization).toBe('Bearer secret');
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
						expect(failed.message).toContain(`The picture lies at ${new URL(target).origin}`);
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
				return addressOf({ url }, address);
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

test('an image that was generated but not delivered is told as one', async () => {
	const sim = await startOther({ data: [{ url: '/files/gone.png' }] });
	sim.route('GET /files/gone.png', reply.llamaError(404, 'File Not Found'));
	expect(await failureOf(run(sim, { model: 'm' }))).toMatchObject({
		kind: 'invalidAnswer',
		status: 404,
		message: 'The server made a picture, but does not give it out',
	});
});

describe('before anything is sent', () => {
	test('no prompt, and a size that is none', async () => {
		const sim = await startOther({});
		expect((await failureOf(run(sim, { prompt: ' ' }))).message).toBe('There is no prompt');
		expect((await failureOf(run(sim, { size: '512' }))).message).toBe(
			'The size "512" is not valid',
		);
		expect(sim.requests.filter(({ method }) => method === 'POST')).toEqual([]);
	});
});

test('llama-server has no route: the error names servers that can', async () => {
	const failed = await failureOf(run(await startLlama(), { model: 'sim-model' }));
	expect([failed.message, failed.status]).toEqual(['llama-server cannot make pictures', 404]);
	expect(failed.remedy).toContain('GPUStack');
});
