import { checkServer } from '../../../../lib/health/check';
import { modelServerTarget } from '../../../../nodes/shared/health/target';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { closedPort } from '../../../support/listening';
import { check, checkDify, finding, ids, json, LIMITS, movedTo, routes, SESAME } from '../support';
import { useSimulator } from '../../../servers/use-simulator';
import { connectTo } from '../../../../lib/servers/connect';
import { appKey, startDifySim } from '../../../servers/dify';
import { closeRawServers, rawServer, whole } from '../../../support/raw-answers';

const startServer = useSimulator(startLlamaServerSim);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}
const startDify = useSimulator(startDifySim);

afterEach(async () => {
	jest.restoreAllMocks();
});

describe('nothing listens (rows 3 to 5)', () => {
	it('a check finds the machine that runs the container, without sending it the key', async () => {
		const onHost = await sim({ apiKey: SESAME });
		const port = await closedPort();
		const target = modelServerTarget({ baseUrl: `http://127.0.0.1:${port}`, apiKey: SESAME });
		const asked: string[] = [];
		const elsewhere: typeof target = {
			...target,
			connectElsewhere: (baseUrl, more) => {
				asked.push(baseUrl);
				return target.connectElsewhere(onHost.url, more);
			},
		};
		const result = await checkServer(elsewhere, LIMITS);
		expect(asked).toEqual([`http://host.docker.internal:${port}`]);
		expect(onHost.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
			['/health', undefined],
		]);
		expect(finding(result, 'refused').advice).toMatch(
			new RegExp(
				`^Type http://host\\.docker\\.internal:${port} as Base URL: there the server answers\\.`,
			),
		);
	});
});

describe('the way there (rows 6 to 11)', () => {
	it('https is typed, http is spoken: names the right address, which it tried', async () => {
		const server = await sim();
		// The server waits for the rest of what it takes for a request: only the limit of connecting ends that.
		const result = await check(server.url.replace('http:', 'https:'), { timeLimitMs: 8000 });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'tlsMismatch').advice).toMatch(
			new RegExp(`^Type ${server.url} as Base URL: there the server answers\\.`),
		);
		expect(server.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
	});

	it('http is typed, https is spoken: names the right address', async () => {
		const server = await sim({ tls: true });
		const result = await check(server.url.replace('https:', 'http:'));
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'tlsMismatch').meaning).toBe('The server wants https on this port');
		expect(finding(result, 'tlsMismatch').advice).toMatch(
			new RegExp(`^Type ${server.url} as Base URL: there the server answers\\.`),
		);
	});
});

describe('the server refuses (rows 12 to 16)', () => {
	it('a prefix is missing, or one too many is typed: names the address that works', async () => {
		const server = await sim();
		const result = await check(`${server.url}/v1/v1`);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'wrongPath').observed).toContain('File Not Found');
		expect(finding(result, 'wrongPath').advice).toMatch(
			new RegExp(`^Type ${server.url} as Base URL: there the API answers\\.`),
		);
	});

	it('the server has a prefix that is not typed', async () => {
		const server = await sim({ apiPrefix: '/llm' });
		const result = await check(server.url);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'wrongPath').advice).toContain('--api-prefix');
		expect((await check(`${server.url}/llm`)).status).toBe('healthy');
	});
});

describe('no API (rows 17 and 18)', () => {
	it('a web front end answers everything with its page: finds the API beside it', async () => {
		const server = await sim();
		const page = '<!doctype html><html><head><title>Open WebUI</title></head><body></body></html>';
		for (const path of ['/health', '/v1/models', '/props', '/api/version', '/version', '/metrics'])
			server.route(`GET ${path}`, reply.html(200, page));
		const alone = await check(server.url);
		expect(alone).toMatchObject({ status: 'misconfigured', server: { kind: 'unknown' } });
		expect(finding(alone, 'notAnApi').meaning).toBe('A web page answers here, not the API');
		server.route('GET /api/models', reply.error(401, { detail: 'Not authenticated' }));
		expect(finding(await check(server.url), 'notAnApi').advice).toMatch(
			new RegExp(`^Type ${server.url}/api as Base URL: there the API answers\\.`),
		);
	});

	it('a redirect to a login page of another address', async () => {
		const login = await sim();
		login.route('GET /login', reply.html(200, '<!doctype html><title>Sign in</title>'));
		const server = await sim();
		server.route('GET /v1/models', reply.redirect(`${login.url}/login`, 302));
		const result = await check(server.url);
		expect(finding(result, 'notAnApi').observed).toContain(`HTTP 200 from ${login.url}/login`);
		expect(login.requests[0]?.headers.authorization).toBeUndefined();
	});
});
afterEach(async () => {
	await closeRawServers();
});

describe('an address that leads on to another one', () => {
	it.each([301, 302, 303, 307, 308])(
		'by %d: GET requests work there, but generations would not',
		async (status) => {
			const server = await sim();
			const url = await rawServer(movedTo(server.url, status));
			const result = await check(url, {}, { apiKey: '' });
			expect(result).toMatchObject({ status: 'misconfigured', healthy: false });
			expect(finding(result, 'moved')).toMatchObject({
				severity: 'error',
				advice: `Type ${server.url} as Base URL.`,
			});
			const connection = connectTo({ baseUrl: url });
			await expect(
				connection.json(`${connection.url.api}/chat/completions`, {
					json: { messages: [{ role: 'user', content: 'x' }] },
				}),
			).rejects.toMatchObject({ kind: 'redirect' });
		},
	);

	it.each([307, 308])('by %d at the same origin: works, with a warning', async (status) => {
		const list = json('200 OK', { object: 'list', data: [{ id: 'm', owned_by: 'local' }] });
		const url = await rawServer(routes({ '/api/v1/models': list }, movedTo('/api', status)));
		expect(finding(await check(url), 'moved').severity).toBe('warning');
	});

	it('a slash at the end is no other address', async () => {
		const list = json('200 OK', { object: 'list', data: [{ id: 'm', owned_by: 'local' }] });
		const url = await rawServer(
			routes({
				'/v1/models': (_path, socket) =>
					void socket.end('HTTP/1.1 307 x\r\nLocation: /v1/models/\r\nContent-Length: 0\r\n\r\n'),
				'/v1/models/': list,
			}),
		);
		expect(ids(await check(url))).not.toContain('moved');
	});

	it.each([301, 308])(
		'Dify, which gets no key there (%d): the key is not what is wrong',
		async (status) => {
			const dify = await startDify();
			const url = await rawServer(movedTo(new URL(dify.url).origin, status));
			const result = await checkDify(`${url}/v1`, { apiKey: appKey('chat') });
			await dify.close();
			expect(result.status).toBe('misconfigured');
			expect(finding(result, 'moved')).toMatchObject({
				severity: 'error',
				advice: `Type ${new URL(dify.url).origin} as Base URL.`,
			});
		},
	);

	it('Dify at another path of the same address', async () => {
		const app = { name: 'Helper', mode: 'chat' };
		const url = await rawServer(
			routes(
				{ '/dify/v1/info': json('200 OK', app), '/dify/v1/parameters': json('200 OK', {}) },
				movedTo('/dify'),
			),
		);
		expect(finding(await checkDify(`${url}/v1`, { apiKey: appKey('chat') }), 'moved').advice).toBe(
			`Type ${url}/dify as Base URL.`,
		);
	});

	it('an address elsewhere that holds the key is not asked, and shown without it', async () => {
		const asked: string[] = [];
		const page = whole('200 OK', '<!doctype html><title>Sign in</title>', {
			'Content-Type': 'text/html',
		});
		const login = await rawServer((path, ...rest) => {
			asked.push(path);
			page(path, ...rest);
		});
		const url = await rawServer(
			(_path, socket) =>
				void socket.end(
					`HTTP/1.1 302 x\r\nLocation: ${login}/login?key=${SESAME}\r\nContent-Length: 0\r\n\r\n`,
				),
		);
		const result = await check(url);
		expect(finding(result, 'redirect').meaning).toContain('/login?key=***');
		expect(JSON.stringify(result)).not.toContain(SESAME);
		expect(asked).toEqual([]);
	});
});
