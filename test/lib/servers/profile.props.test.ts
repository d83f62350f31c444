import { getProfile } from '../../../lib/servers/profile';
import { createModelServer } from '../../../lib/servers/endpoint';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import type { ScriptedRequest } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';

const serveScript = useSimulator(startScripted);

type Answers = Record<string, unknown>;

/**
 * A server with these JSON answers by method and path; a function makes one of the request, `[status, body]` is a
 * refusal. Anything else is 404.
 */
async function serve(answers: Answers, headers: Record<string, string> = {}) {
	const scripted = await serveScript((request, response) => {
		const { method, path } = request;
		const known = answers[`${method} ${path}`] ?? answers[`${method} ${path.replace(/\?.*/, '')}`];
		const answer: unknown =
			typeof known === 'function' ? (known as (of: ScriptedRequest) => unknown)(request) : known;
		if (answer === undefined)
			return sendJson(response, { error: { message: 'File Not Found' } }, 404, headers);
		if (Array.isArray(answer)) return sendJson(response, answer[1], answer[0] as number, headers);
		return sendJson(response, answer, 200, headers);
	});
	const server = createModelServer({
		baseUrl: scripted.url,
		apiKey: ['sk', '9f8e7d6c5b4a3210'].join('-'),
	});
	return {
		server,
		requested: () => scripted.requests.map(({ method, path }) => `${method} ${path}`),
	};
}

const list = (...models: object[]) => ({ object: 'list', data: models });
const LLAMA = { server: 'llama.cpp' };

test('the properties of at most 50 models per server are cached', async () => {
	const { server, requested } = await serve(
		{ 'GET /v1/models': list({ id: 'a' }), 'GET /props': { total_slots: 2 } },
		LLAMA,
	);
	const countFor = async (model: string) => {
		const before = requested().length;
		await getProfile(server).fetchProps(model);
		return requested().length - before;
	};
	await countFor('first');
	for (let at = 0; at < 49; at++) await countFor(`m${at}`);
	expect(await countFor('first')).toBe(0);
	await countFor('one more');
	expect(await countFor('first')).toBe(0);
	expect(await countFor('m0')).toBeGreaterThan(0);
});
