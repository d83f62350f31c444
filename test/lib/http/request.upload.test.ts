/** How long a request waits while its upload is sent. */
import type { HttpResponse } from '../../../lib/http/types';
import type { ServerError } from '../../../lib/errors/server-error';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { createModelServer } from '../../../lib/servers/endpoint';
import { request } from '../../../lib/http/request';
import { useClock } from '../../guarantees/support/fake-clock';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';

const serveScript = useSimulator(startScripted);
const clock = useClock();

const SECOND = 1_000;
const FIRST_TOKEN_MS = 60 * SECOND;

/** Uploads a byte after each of the pauses; returns the response, or how it failed. */
async function upload(pausesMs: readonly number[]): Promise<string> {
	const { url: origin } = await serveScript((_sent, response) => sendJson(response, { ok: true }));
	const endpoint = {
		url: { typed: origin, origin, root: origin, api: origin },
		id: origin,
		headers: {},
		ignoreSslIssues: false,
		maxConcurrentRequests: 0,
		getSlots: () => undefined,
		secrets: [],
		errorContext: {},
	};
	const content = {
		async *[Symbol.asyncIterator]() {
			for (const ms of pausesMs) {
				await clock.pass(ms);
				yield Buffer.from('a');
			}
		},
	};
	const body = { content, contentType: 'audio/wav', length: pausesMs.length };
	const timeouts = { firstTokenMs: FIRST_TOKEN_MS, idleMs: 0 };
	const sending = request(
		endpoint,
		{ url: origin, upload: body, limits: TASK_LIMITS.transcribe.received, timeouts },
		async (response: HttpResponse) => await response.text(),
	);
	return await clock.passUntil(sending).catch(({ type }: ServerError) => type);
}

test.each([
	{
		what: 'nine minutes in parts',
		pausesMs: Array<number>(10).fill(54 * SECOND),
		result: '{"ok":true}',
	},
	{ what: 'one long pause at last', pausesMs: [SECOND, 61 * SECOND], result: 'firstTokenTimeout' },
	{ what: 'one long pause at first', pausesMs: [61 * SECOND, SECOND], result: 'firstTokenTimeout' },
])(
	'First Token Timeout is for a pause of an upload, not for all of it: $what',
	async ({ pausesMs, result }) => {
		expect(await upload(pausesMs)).toBe(result);
	},
);

test.each([
	{ what: 'a field of the form', fields: { prompt: 'Names: secret-key-of-server' } },
	{ what: 'JSON', json: { prompt: 'Names: secret-key-of-server' } },
	{ what: 'nothing of it', fields: { prompt: 'Names' }, isMasked: true },
])('a text that the request contained is not masked as a key: $what', async (sent) => {
	const { fields, json, isMasked = false } = sent;
	const { url: origin } = await serveScript((_sent, response) =>
		sendJson(response, { text: 'It is secret-key-of-server' }),
	);
	const server = createModelServer({ baseUrl: origin, apiKey: 'secret-key-of-server' });
	const upload = { content: [Buffer.from('a')], contentType: 'audio/wav', length: 1, fields };
	const options = { url: origin, limits: TASK_LIMITS.transcribe.received };
	const text = await request(
		server,
		json === undefined ? { ...options, upload } : { ...options, json },
		async (response: HttpResponse) => await response.text(),
	);
	expect(text.includes('secret-key-of-server')).toBe(!isMasked);
});
