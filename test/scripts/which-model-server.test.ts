import type { Log } from '../../scripts/lib/types';
import { closedPort } from '../support/servers/listen';
import { sendJson, useServers } from '../support/servers/scripted-server';
import { loadScript } from '../support/files/scripts';

interface ModelServerChoice {
	baseUrl: string;
	apiKey?: string;
	model: string;
	description: string;
}
interface ModelServerScript {
	findModelServer(
		log: Log,
		where: { env: Record<string, string>; ports: number[] },
	): Promise<ModelServerChoice | undefined>;
}

const startServer = useServers();

/** A model server, open or with a key. */
async function modelServer(
	models: string[],
	{ key, openList = false }: { key?: string; openList?: boolean } = {},
): Promise<number> {
	const { port } = await startServer(({ path, headers }, response) => {
		const isList = path === '/v1/models';
		const isOpen =
			key === undefined || headers.authorization === `Bearer ${key}` || (openList && isList);
		if (!isOpen)
			return sendJson(response, { error: { message: 'Invalid API Key', code: 401 } }, 401);
		return sendJson(response, isList ? { data: models.map((id) => ({ id })) } : {});
	});
	return port;
}

async function find(
	env: Record<string, string>,
	port: number,
): Promise<{ server?: ModelServerChoice; output: string }> {
	const { findModelServer } = await loadScript<ModelServerScript>('models/model-server');
	const lines: string[] = [];
	const log = { line: (text = '') => lines.push(text) } as unknown as Log;
	return { server: await findModelServer(log, { env, ports: [port] }), output: lines.join('\n') };
}

describe('a model server that is already running', () => {
	test('LOCAL_LLAMA_BASE_URL takes precedence over the one on port 8080', async () => {
		const [named, other] = [await modelServer(['named-model']), await modelServer(['other-model'])];
		const baseUrl = `127.0.0.1:${named}/v1`;
		expect((await find({ LOCAL_LLAMA_BASE_URL: baseUrl }, other)).server).toMatchObject({
			baseUrl,
			model: 'named-model',
			description: 'LOCAL_LLAMA_BASE_URL',
		});
		const { server, output } = await find({}, other);
		expect(server).toMatchObject({ baseUrl: `http://127.0.0.1:${other}`, model: 'other-model' });
		expect(output).toBe('');
	});

	test('the configured one is used even if it does not respond: the node reports the problem', async () => {
		const { server, output } = await find(
			{ LOCAL_LLAMA_BASE_URL: `http://127.0.0.1:${await closedPort()}` },
			1,
		);
		expect(server).toMatchObject({ model: 'default', description: 'LOCAL_LLAMA_BASE_URL' });
		expect(output).toContain('lists no models');
	});

	test.each([
		['that wants a key for everything', false],
		['that lists its models without a key, and requires one for the rest', true],
	])('one on port 8080 %s is reported, and not used', async (_name, openList) => {
		const port = await modelServer(['model'], { key: 'right', openList });
		const { server, output } = await find({}, port);
		expect(server).toBeUndefined();
		expect(output).toBe(
			`  A server on port ${port} wants a key, so it is not used. To use it:\n` +
				`  LOCAL_LLAMA_BASE_URL=http://127.0.0.1:${port} LOCAL_LLAMA_API_KEY=… npm start`,
		);
		const right = await find({ LOCAL_LLAMA_API_KEY: 'right' }, port);
		expect(right).toMatchObject({ server: { model: 'model', apiKey: 'right' }, output: '' });
	});

	test('a server without models is skipped', async () => {
		expect(await find({}, await modelServer([]))).toEqual({ output: '' });
		expect(await find({}, await closedPort())).toEqual({ output: '' });
	});
});
