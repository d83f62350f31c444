import fc from 'fast-check';

import type { ChatParameters } from '../../../lib/chat/types';
import { readToEnd } from '../../../lib/generators';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { connectTo } from '../../../lib/servers/connect';
import { learnFromHeaders } from '../../../lib/servers/identify';
import { complete, type FinishedCompletion } from '../../../lib/text/complete';
import type { CompleteTask } from '../../../lib/text/completion-request';
import { json, type ScriptedServer, startScripted } from '../../servers/scripted';
import { examples } from '../../support/properties';

/** Routes by which servers are identified. */
const IDENTIFYING = ['/v1/models', '/api/version'];

/** A gateway in front of llama-server, which passes on its header but not its native routes. */
describe('a gateway that passes on the header of llama-server', () => {
	let server: ScriptedServer;
	beforeEach(async () => {
		clearSharedCaches();
		server = await startScripted(({ path }, response) => {
			if (path === '/v1/models') return json(response, { data: [{ id: 'm', owned_by: 'local' }] });
			if (path !== '/v1/completions') return json(response, {}, 404);
			const choices = [{ index: 0, text: ' Paris', finish_reason: 'stop' }];
			json(response, { choices, usage: { prompt_tokens: 400, completion_tokens: 1 } });
		});
	});
	afterEach(async () => await server.close());

	async function answerTo(task: CompleteTask): Promise<FinishedCompletion> {
		const connection = connectTo({ baseUrl: server.url });
		learnFromHeaders(connection, { server: 'llama.cpp' }, 'm');
		const settings = { model: 'm', parameters: {}, limits: {}, retries: 0 };
		const generation = complete(connection, settings, task);
		for (;;) {
			const { value, done } = await generation.next();
			if (done) return value;
		}
	}

	const pathsAsked = () =>
		server.requests.map(({ path }) => path).filter((path) => !IDENTIFYING.includes(path));

	it('continues a prompt on OpenAI’s route, and asks for the native one once', async () => {
		expect((await answerTo({ prompt: 'The capital of France is' })).text).toBe(' Paris');
		expect(pathsAsked()).toEqual(['/completion', '/v1/completions']);
		await answerTo({ prompt: 'The capital of France is' });
		expect(pathsAsked()).toEqual(['/completion', '/v1/completions', '/v1/completions']);
	});
});

describe('a server that forbids fields', () => {
	let server: ScriptedServer;
	let refusalOf: (fields: string[]) => object;
	let forbidden: string[];
	beforeEach(async () => {
		clearSharedCaches();
		server = await startScripted(({ path, body }, response) => {
			if (path !== '/v1/completions') return json(response, {}, 404);
			const refused = Object.keys(body).filter((name) => forbidden.includes(name));
			if (refused.length > 0) return json(response, refusalOf(refused), 422);
			const choices = [{ index: 0, text: ' Paris', finish_reason: 'stop' }];
			json(response, { choices, usage: { prompt_tokens: 400, completion_tokens: 1 } });
		});
	});
	afterEach(async () => await server.close());

	async function answer(parameters: ChatParameters) {
		const connection = connectTo({ baseUrl: server.url });
		const settings = { model: 'm', parameters, limits: {}, retries: 0 };
		return await readToEnd(complete(connection, settings, { prompt: 'The capital' }));
	}

	/** In the forms of FastAPI, of pydantic, and of a server that names one field after the other. */
	const REFUSALS: ReadonlyArray<(fields: string[]) => object> = [
		(fields) => ({
			detail: fields.map((field) => ({
				loc: ['body', field],
				msg: 'Extra inputs are not permitted',
			})),
		}),
		(fields) => ({
			error: {
				message: fields
					.map((field) => `${field}\n  Extra inputs are not permitted [type=extra_forbidden]`)
					.join('\n'),
			},
		}),
		([field]) => ({ error: { message: `Unsupported parameter: '${field}'` } }),
	];
	it('gets a completion without them, and the note names the options, also of the next one', async () => {
		const options = { temperature: 1, topK: 5, minP: 0.1, seed: 7 };
		const names = ['temperature', 'top_k', 'min_p', 'seed', 'stream_options'];
		const form = fc.constantFrom(...REFUSALS);
		await fc.assert(
			fc.asyncProperty(fc.subarray(names), form, async (fields, refusal) => {
				clearSharedCaches();
				forbidden = fields;
				refusalOf = refusal;
				const answers = [await answer(options), await answer(options)];
				const left = fields.filter((name) => name !== 'stream_options');
				for (const { text, notes, usage } of answers) {
					expect([text, usage?.completionTokens]).toEqual([' Paris', 1]);
					const note = notes.find((one) => one.includes('were left out')) ?? '';
					const named = note.split(': ')[1]?.split(', ') ?? [];
					expect(named.toSorted()).toEqual(left.toSorted());
				}
			}),
			examples(30),
		);
	});

	it('is told what it needs and what Extra Body says all the same, and refuses', async () => {
		refusalOf = REFUSALS[0]!;
		forbidden = ['prompt'];
		await expect(answer({})).rejects.toMatchObject({ status: 422 });
		forbidden = ['my_field'];
		await expect(answer({ extraBody: { my_field: 1 } })).rejects.toMatchObject({ status: 422 });
	});

	it('may refuse token counts in a stream in words of its own', async () => {
		forbidden = ['stream_options'];
		refusalOf = () => ({ error: { message: 'Stream options are not available here' } });
		expect(await answer({})).toMatchObject({ text: ' Paris' });
	});
});

it.each([
	['me', 5, 'stop', true],
	['me', 6, 'stop', false],
])(
	'%s says "stop" after 5 tokens with Maximum Tokens %i: %s, doubted is %s',
	async (owner, maxTokens, stopType, isDoubted) => {
		clearSharedCaches();
		const choices = [{ index: 0, text: ' Paris', finish_reason: 'stop' }];
		const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };
		const server = await startScripted(({ path }, response) => {
			if (path === '/v1/models') return json(response, { data: [{ id: 'm', owned_by: owner }] });
			if (path === '/v1/completions') return json(response, { choices, usage });
			json(response, { detail: 'Not Found' }, 404);
		});
		const connection = connectTo({ baseUrl: server.url });
		const settings = { model: 'm', parameters: { maxTokens }, limits: {}, retries: 0 };
		const completion = await readToEnd(complete(connection, settings, { prompt: 'The capital' }));
		await server.close();
		expect(completion.stopType).toBe(stopType);
		expect(completion.notes.some((note) => note.includes('may have been cut off'))).toBe(isDoubted);
	},
);

describe('a server that reads few fields', () => {
	let server: ScriptedServer;
	let choice: Record<string, unknown>;
	beforeEach(async () => {
		clearSharedCaches();
		server = await startScripted(({ path }, response) => {
			if (path === '/v1/completions') json(response, { choices: [{ index: 0, ...choice }] });
			else json(response, {}, 404);
		});
	});
	afterEach(async () => await server.close());

	const STOP = /stop sequence " is"/;
	it.each<[string, Record<string, unknown>, RegExp[]]>([
		['ignores it', { text: ' It is late', finish_reason: 'length' }, [STOP]],
		['stops', { text: ' It', finish_reason: 'stop' }, []],
		['hands on the stop sequence', { text: ' It is', finish_reason: 'stop' }, []],
	])('is told: it %s', async (_, answered, told) => {
		choice = answered;
		const settings = {
			model: 'm',
			parameters: { stop: [' is'] },
			limits: {},
			retries: 0,
		};
		const { notes } = await readToEnd(
			complete(connectTo({ baseUrl: server.url }), settings, { prompt: 'Late?' }),
			async () => {},
		);
		expect(notes).toEqual(told.map((pattern) => expect.stringMatching(pattern) as string));
	});
});
