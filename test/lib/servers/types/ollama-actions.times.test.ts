/** How long Ollama is waited for: one limit for a command and what follows it, and for a download as long as it gets on. */
import { asServerErrorOrThrow } from '../../../../lib/errors/server-error';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { runModelAction } from '../../../../lib/servers/model-actions';
import { useClock } from '../../../guarantees/support/fake-clock';
import { NO_EXECUTION } from '../../../support/n8n/node-host';
import { json, useServers } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { list } from '../json-server';

const start = useServers();
const clock = useClock();

const MODELS = { 'GET /v1/models': json(list({ id: 'm', owned_by: 'library' })) };
const TIMEOUT_MS = 20_000;

/** Plays an action; the type of its error, or `done`, and after how many seconds. */
async function play(action: 'unload' | 'pull', answers: Readonly<Record<string, Answer>>) {
	const { url } = await start({ ...MODELS, ...answers });
	const server = createModelServer({ baseUrl: url }, NO_EXECUTION);
	const startedAt = performance.now();
	const end = runModelAction(server, action, {
		model: 'm',
		wait: true,
		timeoutMs: TIMEOUT_MS,
	}).then(
		() => 'done',
		(error: unknown) => asServerErrorOrThrow(error).type as string,
	);
	const type = await clock.passUntil(end);
	return { type, seconds: Math.round((performance.now() - startedAt) / 1_000) };
}

test.each([0, 5, 15])(
	'a command of %d s and the wait for the memory have one limit',
	async (seconds) => {
		const { type, seconds: ended } = await play('unload', {
			'GET /api/ps': json({ models: [{ name: 'm', model: 'm' }] }),
			'POST /api/show': json({ capabilities: ['completion'] }),
			'POST /api/generate': (_request, response) =>
				void setTimeout(() => json({ done: true })(_request, response), seconds * 1_000),
		});
		expect(type).toBe('modelLoading');
		expect(ended).toBeGreaterThanOrEqual(TIMEOUT_MS / 1_000 - 1);
		expect(ended).toBeLessThanOrEqual(TIMEOUT_MS / 1_000 + 2);
	},
);

test.each([
	{
		name: 'new lines',
		toLine: (at: number) => ({ status: 'pulling a', completed: at }),
		end: 'done',
	},
	{
		name: 'the same line',
		toLine: () => ({ status: 'pulling a', completed: 1 }),
		end: 'idleTimeout',
	},
])('a download goes on as long as $name come: $end', async ({ toLine, end }) => {
	let at = 0;
	const { type, seconds } = await play('pull', {
		'POST /api/pull': (_request, response) => {
			response.writeHead(200, { 'content-type': 'application/x-ndjson' });
			const timer = setInterval(() => {
				at++;
				const line =
					at > 40 ? { status: 'success' } : { digest: 'sha256:a', total: 99, ...toLine(at) };
				response.write(`${JSON.stringify(line)}\n`);
				if (at > 40) {
					clearInterval(timer);
					response.end();
				}
			}, 1_000);
			response.on('close', () => clearInterval(timer));
		},
	});
	expect({ type, isLong: seconds > TIMEOUT_MS / 1_000 + 5 }).toEqual({
		type: end,
		isLong: end === 'done',
	});
});
