import { ChatClient } from '../../../lib/chat/client';
import type { ChatSettings } from '../../../lib/chat/request/request';
import { ServerError } from '../../../lib/errors/server-error';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { localLlamaConnection } from '../../../lib/servers/credential';
import {
	delta,
	events,
	good,
	json,
	type Script,
	type ScriptedServer,
	sse,
	startScripted,
} from '../../servers/scripted';
import { useSimulator } from '../../servers/use-simulator';
import { PLAIN_SETTINGS } from './chat-settings';

jest.mock('../../../lib/http/waiting', () =>
	jest.requireActual<object>('../../support/skipped-pauses'),
);

const start = useSimulator(startScripted);
beforeEach(clearSharedCaches);

interface Failing {
	status: number;
	body: object;
}

const error = (status: number, message: string, type: string, code: unknown = status): Failing => ({
	status,
	body: { error: { message, type, code } },
});

/** Failures as llama-server, vLLM, LiteLLM and others word them, and their kinds. */
const FAILURES: Array<[name: string, failing: Failing, kind: string]> = [
	['llama-server loads its model', error(503, 'Loading model', 'unavailable_error'), 'loading'],
	['too many requests', error(429, 'Rate limit reached', 'rate_limit_error'), 'busy'],
	[
		'overloaded, by its type alone',
		{ status: 503, body: { error: { type: 'overloaded_error', message: 'Overloaded' } } },
		'busy',
	],
	[
		'overloaded, as gateways to Anthropic say it',
		{ status: 529, body: { error: { type: 'overloaded_error', message: 'Overloaded' } } },
		'busy',
	],
	['a wrong key', error(401, 'Invalid API Key', 'authentication_error'), 'unauthorized'],
	[
		'an unknown model',
		error(404, 'The model `x` does not exist.', 'NotFoundError'),
		'modelNotFound',
	],
	[
		'an unknown model, by its code',
		error(404, 'no', 'invalid_request_error', 'model_not_found'),
		'modelNotFound',
	],
	[
		'a prompt that is too long',
		error(400, "This model's maximum context length is 4096 tokens.", 'BadRequestError'),
		'contextOverflow',
	],
	['out of memory', error(500, 'CUDA out of memory', 'server_error'), 'serverError'],
	[
		'an output that was dropped',
		error(
			500,
			'The model produced output that does not match the expected peg-native format',
			'server_error',
		),
		'outputUnreadable',
	],
	[
		'a function that is off',
		error(501, 'This server does not support chat', 'not_supported_error'),
		'notSupported',
	],
	['a wrong request', error(400, 'bad temperature', 'invalid_request_error'), 'badRequest'],
	[
		'an embedding model',
		error(400, 'The model does not support Chat Completions API', 'BadRequestError'),
		'wrongModelType',
	],
];

/** Where a failure may stand before the first content. */
const PLACES: Record<string, (failing: Failing) => Script> = {
	'the status':
		({ status, body }) =>
		(_request, response) =>
			json(response, body, status),
	'the first event':
		({ body }) =>
		(_request, response) =>
			events(response, sse(body)),
	'the first event, then the end marker':
		({ body }) =>
		(_request, response) =>
			events(response, sse(body, '[DONE]')),
	'behind a role and a ping':
		({ body }) =>
		(_request, response) =>
			events(
				response,
				`: ping\n\n${sse(delta({ role: 'assistant', content: null }), delta({ content: '' }), body)}`,
			),
	'an event named error':
		({ body }) =>
		(_request, response) =>
			events(response, `event: error\n${sse(body)}`),
	'the error of a choice':
		({ body }) =>
		(_request, response) => {
			const { error: ofChoice = body } = body as { error?: unknown };
			events(
				response,
				sse({ choices: [{ index: 0, delta: {}, finish_reason: null, error: ofChoice }] }),
			);
		},
	'JSON under a 200':
		({ body }) =>
		(_request, response) =>
			json(response, body),
	'a line of a stream that is no event':
		({ body }) =>
		(_request, response) =>
			events(response, `: ping\n\n${JSON.stringify(body)}\n`),
	'an empty 200, and words without stream':
		({ status, body }) =>
		(request, response) =>
			request.body.stream === true ? events(response, '') : json(response, body, status),
	'an end marker alone, and words without stream':
		({ status, body }) =>
		(request, response) =>
			request.body.stream === true ? events(response, sse('[DONE]')) : json(response, body, status),
};

async function ask(
	{ url }: ScriptedServer,
	content: string,
	settings: Partial<ChatSettings> = {},
): Promise<string> {
	const client = new ChatClient(localLlamaConnection({ baseUrl: url }), {
		...PLAIN_SETTINGS,
		limits: { firstTokenMs: 25_000 },
		...settings,
	});
	const answer = client.generate({ messages: [{ type: 'human', content }] });
	const outcome = async (): Promise<string> => {
		for (;;) {
			const next = await answer.next();
			if (next.done) return next.value.text;
		}
	};
	return await outcome().then(undefined, (failed: unknown) => {
		expect(failed).toBeInstanceOf(ServerError);
		return (failed as ServerError).kind;
	});
}

const chats = ({ requests }: ScriptedServer) =>
	requests.filter(({ method }) => method === 'POST').length;
const streamed = ({ requests }: ScriptedServer) =>
	requests.filter(({ body }) => body.stream === true).length;
const chatOnly =
	(script: Script): Script =>
	(request, response) =>
		request.method === 'POST'
			? script(request, response)
			: json(response, { detail: 'Not Found' }, 404);

/** What becomes of a question. */
async function decisionAt(script: Script, settings: Partial<ChatSettings> = {}) {
	const server = await start(chatOnly(script));
	const kind = await ask(server, 'Hi', settings);
	return { kind, isRepeated: kind !== 'loading' && streamed(server) > 1 };
}

describe('a failure before the first content means the same wherever it stands', () => {
	it.each(FAILURES)('%s', async (_name, failing, kind) => {
		const decisions: Record<string, unknown> = {};
		for (const [place, script] of Object.entries(PLACES)) {
			clearSharedCaches();
			decisions[place] = await decisionAt(script(failing));
		}
		const asStatus = decisions['the status'] as Awaited<ReturnType<typeof decisionAt>>;
		expect(asStatus.kind).toBe(kind);
		expect(decisions).toEqual(
			Object.fromEntries(Object.keys(PLACES).map((place) => [place, asStatus])),
		);
	});

	it('silence after the headers counts as silence', async () => {
		const silent = (response: Parameters<Script>[1]) =>
			response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
		const decision = await decisionAt((_request, response) => silent(response), {
			limits: { firstTokenMs: 1_500 },
		});
		expect(decision.kind).toBe('firstTokenLimit');
	});

	it('an error after content is reported as before, and nothing is sent again', async () => {
		const decision = await decisionAt((_request, response) =>
			events(
				response,
				sse(delta({ content: 'Once' }), error(503, 'Loading model', 'unavailable_error').body),
			),
		);
		expect(decision.isRepeated).toBe(false);
	});
});

describe('an output that llama-server dropped', () => {
	const dropped = FAILURES.find(([, , kind]) => kind === 'outputUnreadable')![1];
	const thinking = delta({ reasoning_content: 'Let me see.' });

	it.each<[string, object[], Partial<ChatSettings>, string, number]>([
		['at once: asked again once', [], {}, 'fine', 2],
		['behind thinking: asked again once', [thinking], {}, 'fine', 2],
		[
			'behind thinking that is shown: told',
			[thinking],
			{ showThinking: true },
			'outputUnreadable',
			1,
		],
		['behind text: told', [delta({ content: 'Well' })], {}, 'outputUnreadable', 1],
		['with a fixed seed: told', [], { parameters: { seed: 7 } }, 'outputUnreadable', 1],
		['with a random seed: asked again', [], { parameters: { seed: -1 } }, 'fine', 2],
	])('%s', async (_name, before, settings, outcome, times) => {
		let asked = 0;
		const server = await start(
			chatOnly((_request, response) =>
				events(response, asked++ === 0 ? sse(...before, dropped.body) : good('fine')),
			),
		);
		expect(await ask(server, 'Hi', settings)).toBe(outcome);
		expect(chats(server)).toBe(times);
	});
});

describe('the end of an answer is what the server calls its end', () => {
	const answerTo = async (body: string) => {
		const server = await start(chatOnly((_request, response) => events(response, body)));
		return await ask(server, 'Hi');
	};

	it.each<[string, string, string]>([
		[
			'a field for the reason that stays empty, of a server that nobody knows',
			sse(delta({ content: 'Half' }), '[DONE]'),
			'Half',
		],
		['no such field', sse({ choices: [{ index: 0, delta: { content: 'All' } }] }, '[DONE]'), 'All'],
		[
			'network_error',
			sse(delta({ content: 'Half' }), delta({}, 'network_error'), '[DONE]'),
			'streamError',
		],
		['insufficient_system_resource', sse(delta({}, 'insufficient_system_resource')), 'streamError'],
		['timeout', sse(delta({ content: 'Half' }, 'timeout')), 'streamError'],
		['cancelled', sse(delta({ content: 'Half' }, 'cancelled')), 'streamError'],
		['STOP in capitals', sse(delta({ content: 'All' }, 'STOP'), '[DONE]'), 'All'],
		['a reason that nobody knows', sse(delta({ content: 'All' }, 'bored')), 'All'],
		[
			'a status of success beside it',
			sse({ code: 200, message: 'success' }, delta({ content: 'All' }, 'stop')),
			'All',
		],
	])('%s', async (_name, body, outcome) => {
		expect(await answerTo(body)).toBe(outcome);
	});
});
