import { errorDetails } from '../../../lib/errors/node-error';
import { describe as described } from '../../../lib/errors/description';
import { ServerError } from '../../../lib/errors/server-error';
import { checkServer } from '../../../lib/health/check';
import type { Connection } from '../../../lib/http/connection';
import { connectTo } from '../../../lib/servers/connect';
import { modelServerTarget } from '../../../nodes/shared/health/target';
import { FAULTS, startEchoServer, type EchoServer } from '../../servers/echo-server';
import { canary, echoForms, Search } from '../../support/canaries';
import { util } from '../../support/node';

const secrets = {
	key: `${canary(24, '+/')}==`,
	token: canary(24, '&"<%\'\\'),
	cookie: canary(20),
	name: canary(16).toLowerCase(),
	password: canary(20, '/:'),
};
const HEADERS = {
	authorization: `Bearer sk-${secrets.key}`,
	'x-proxy-token': secrets.token,
	cookie: `session=${secrets.cookie}; theme=dark`,
	[`x-tenant-${secrets.name}`]: 'yes',
	'x-upstream-authorization': `Basic ${Buffer.from(`anna:${secrets.password}`).toString('base64')}`,
};
const search = new Search(secrets);

let server: EchoServer;
let elsewhere: EchoServer;

beforeAll(async () => {
	elsewhere = await startEchoServer(echoForms);
	server = await startEchoServer(echoForms, elsewhere.url);
});
afterAll(async () => {
	await server.close();
	await elsewhere.close();
});

const WAYS: Record<string, (connection: Connection) => Promise<unknown>> = {
	call: async (connection) => await connection.call(`${connection.url.api}/models`),
	json: async (connection) => await connection.json(`${connection.url.api}/models`),
	answer: async (connection) =>
		await connection.answer(`${connection.url.api}/embeddings`, { json: { input: 'x' } }),
	stream: async (connection) => {
		const seen: unknown[] = [];
		const stream = await connection.stream(`${connection.url.api}/chat/completions`, { json: {} });
		seen.push(stream.url, stream.headers);
		for await (const batch of stream.batches) seen.push(batch);
		return [seen, stream.strayLines().map((line) => connection.mask(line))];
	},
};

/** All that is known of an outcome. */
async function seen(work: Promise<unknown>): Promise<string> {
	const outcome = await work.then(
		(value) => ({ value }),
		(error: unknown) => ({ error }),
	);
	if ('value' in outcome)
		return util.inspect(outcome.value, {
			depth: 9,
			maxStringLength: Infinity,
			maxArrayLength: Infinity,
		});
	expect(outcome.error).toBeInstanceOf(ServerError);
	const error = outcome.error as ServerError;
	return [
		described(error),
		error.stack,
		JSON.stringify(errorDetails(error)),
		util.inspect(error, { depth: 9 }),
	].join('\n');
}

test("without the package's masking, the test would find everything", async () => {
	const response = await fetch(`${server.at('failedInJson')}/x`, { headers: HEADERS });
	const found = search.in(await response.text()).map((hit) => hit.split(':')[0]);
	expect([...new Set(found)].sort()).toEqual(Object.keys(secrets).sort());
});

describe.each(Object.keys(FAULTS))('what a server echoes: %s', (fault) => {
	test.each(Object.entries(WAYS))('by %s', async (_name, work) => {
		const connection = connectTo({ baseUrl: server.at(fault), headers: HEADERS });
		expect(search.in(await seen(work(connection)))).toEqual([]);
	});

	test('in a check of Server Health', async () => {
		const target = modelServerTarget({
			baseUrl: server.at(fault),
			extraHeaders: { header: Object.entries(HEADERS).map(([name, value]) => ({ name, value })) },
		});
		expect(search.in(await seen(checkServer(target, { timeLimitMs: 4_000 })))).toEqual([]);
	});
});

test('no part of it reached another server', () => {
	expect(elsewhere.asked.length).toBeGreaterThan(0);
	expect(search.in(JSON.stringify(elsewhere.asked))).toEqual([]);
});
