import { createServerError } from '../../../../lib/errors/create-error';
import { getErrorText } from '../../../../lib/errors/error-types';
import type { ErrorType } from '../../../../lib/errors/error-types';
import { DIFY_ERRORS, DIFY_VARIANTS } from '../../../../lib/errors/rows/dify';
import type { KnownFacts } from '../../../../lib/errors/facts';
import { optional, quoted } from '../../../../lib/errors/rows/optional-facts';
import { GATEWAY_ERRORS } from '../../../../lib/errors/rows/gateway';
import { MODEL_ERRORS } from '../../../../lib/errors/rows/model';
import { isLoopback, NETWORK_ERRORS } from '../../../../lib/errors/rows/network';
import { formatDuration } from '../../../../lib/values/duration';
import { readRows } from '../../../support/files/rows';

describe('error texts', () => {
	const TABLES = {
		network: NETWORK_ERRORS,
		gateway: GATEWAY_ERRORS,
		model: MODEL_ERRORS,
		dify: { ...DIFY_ERRORS, ...DIFY_VARIANTS },
	};
	const ROWS = Object.entries(TABLES).flatMap(([table, rows]) =>
		Object.keys(rows).map((kind) => [table, kind as ErrorType] as const),
	);
	/** All facts that a title can contain, with long values. */
	const FACTS: KnownFacts = {
		url: 'https://llm-server.example.com:8443/v1/chat/completions',
		root: 'https://llm-server.example.com:8443',
		host: 'llm-server.example.com',
		port: '8443',
		code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
		timeoutMs: 5_400_000,
		status: 524,
		model: 'qwen3-30b-a3b-instruct-2507',
		location: 'https://llm-server.example.com:8443/login?next=/v1/chat/completions',
		tool: 'search_the_knowledge_base',
		maxTokens: 32_768,
	};

	test.each(ROWS)('%s, %s: title, detail and suggestion, with and without facts', (table, kind) => {
		const service = table === 'dify' ? ('dify' as const) : undefined;
		for (const facts of [{}, FACTS]) {
			const { message, detail, suggestion } = createServerError(
				kind,
				{ service },
				{ about: facts },
			);
			for (const text of [message, detail, suggestion])
				expect(text).not.toMatch(/undefined|NaN| {2}|\(\)|""/);
			expect(message).toMatch(/^[A-Zn].*[^.]$/);
			expect(detail).toMatch(/^[A-Zn].*[^.]$/);
			expect(suggestion).toMatch(/^[A-Z'].*\.$/);
			expect(getErrorText(kind, { service, ...facts }).title.length).toBeLessThanOrEqual(110);
		}
		expect(createServerError(kind, { service }).message.length).toBeLessThanOrEqual(80);
	});
});

describe('texts of model server errors', () => {
	test('a model that loads: the title says how long it was waited for', () => {
		expect(getErrorText('modelLoading', { timeoutMs: 90_000 }).title).toBe(
			'The model is still loading after 90 s',
		);
	});

	test('a missing route: the suggestion replaces a Base URL only if it has a path', () => {
		const withPath = { root: 'http://h:8080/chat', typed: 'http://h:8080/chat' };
		const replaced = getErrorText('routeNotFound', withPath).suggestion;
		expect(replaced).toMatch(
			/^If other requests to this Base URL work, the server does not have this endpoint\. /,
		);
		expect(replaced).toContain('for example http://h:8080: ');
		const plain = { root: 'http://h:8080', typed: 'http://h:8080', url: 'http://h:8080/v1/chat' };
		expect(getErrorText('routeNotFound', plain).suggestion).toContain(
			'This server has no chat endpoint',
		);
		expect(getErrorText('routeNotFound', plain).suggestion).toContain('others often /api');
		expect(getErrorText('routeNotFound').suggestion).toContain('enter only the server address:');
		const list = { ...plain, url: 'http://h:8080/v1/models' };
		expect(getErrorText('routeNotFound', list).title).toContain('no model list');
		expect(getErrorText('routeNotFound', list).suggestion).toMatch(
			/^A custom server may have no model list: enter the model name/,
		);
	});

	test('a path to which a proxy added a slash: the suggestion names the redirect', () => {
		for (const typed of ['http://h:8080', 'http://h:8080/chat'])
			for (const route of ['models', 'chat/completions'])
				expect(
					getErrorText('routeNotFound', { typed, url: `http://h:8080/v1/${route}/` }).suggestion,
				).toContain('redirect added a slash');
	});

	test('a response of only thinking: the suggestion raises the token limit only if it was reached', () => {
		expect(getErrorText('onlyThinking', { maxTokens: 512 }).suggestion).toContain(
			'Raise Maximum Tokens (now 512)',
		);
		expect(
			getErrorText('onlyThinking', { hasModelEnded: true, maxTokens: 512 }).suggestion,
		).not.toContain('Maximum Tokens');
	});

	test('a truncated tool call: the detail names the tool and the token limit', () => {
		expect(getErrorText('toolCallTruncated', { tool: 'search', maxTokens: 64 }).detail).toContain(
			'the tool "search" when the token limit of 64 was reached',
		);
	});
});

describe('texts of network errors', () => {
	test('the suggestion mentions Docker only for localhost', () => {
		expect(
			createServerError('connectionRefused', { url: 'http://localhost:8080/v1' }).suggestion,
		).toContain('If n8n runs in Docker');
		expect(createServerError('connectionRefused', { url: 'http://10.0.0.5/v1' })).toMatchObject({
			message: 'The machine "10.0.0.5" is reachable, but nothing is listening on port 80',
			url: 'http://10.0.0.5/v1',
			suggestion: expect.stringContaining('--host 0.0.0.0'),
		});
	});

	test('the suggestion contains the URL with the other scheme', () => {
		const [plain, tls] = ['http://10.0.0.5:8080', 'https://10.0.0.5:8080'];
		expect(getErrorText('tlsMismatch', { url: `${plain}/v1`, root: plain })).toMatchObject({
			title: 'The server expects https on this port',
			suggestion: `Use https:// in the Base URL: ${tls}.`,
		});
		expect(
			getErrorText('tlsMismatch', { url: `${tls}/v1`, root: tls, code: 'EPROTO' }).suggestion,
		).toContain(`Base URL: ${plain},`);
		// The server uses TLS, so http would be a wrong suggestion.
		const failed = getErrorText('tlsMismatch', {
			url: `${tls}/v1`,
			root: tls,
			code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
		});
		expect(failed.title).toContain('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
		expect(failed.suggestion).not.toContain(plain);
		// llama-server without TLS waits for the rest of a request line, so that this looks like a firewall.
		expect(
			getErrorText('connectTimeout', { url: `${tls}/v1`, root: tls, port: '8080' }).suggestion,
		).toContain(`: ${plain}. Otherwise:`);
		expect(
			getErrorText('connectTimeout', { url: `${plain}/v1`, root: plain, port: '8080' }).suggestion,
		).not.toContain('https');
	});
});

test.each(['8080', '9931'])(
	'if nothing listens on port %s, the suggestion names both default ports',
	(port) => {
		for (const host of ['10.0.0.5', '127.0.0.1'])
			expect(getErrorText('connectionRefused', { host, port }).suggestion).toContain(
				'(llama-server: 9931, older releases: 8080)',
			);
		expect(
			getErrorText('connectionRefused', { host: '10.0.0.5', port: '80' }).suggestion,
		).not.toContain('9931');
	},
);

test.each([
	{ host: '127.0.0.1', port: '80', address: 'http://host.docker.internal (' },
	{ host: '127.0.0.1', port: '8088', address: 'http://host.docker.internal:8088 (' },
	{ host: '10.0.0.5', port: '80', address: undefined },
])(
	'if Dify does not listen at $host:$port, its address for n8n in Docker is $address',
	({ host, port, address }) => {
		const { suggestion } = getErrorText('connectionRefused', { host, port, service: 'dify' });
		expect(suggestion).toMatch(/^Check that Dify is running/);
		expect(/http:\/\/host\.docker\.internal\S* \(/.exec(suggestion)?.[0]).toBe(address);
	},
);

test.each(['proxyAuthRequired', 'blockedByProxy'] as const)(
	'%s in front of Dify names no field that its credential lacks',
	(type) => {
		const { title, suggestion } = getErrorText(type, { service: 'dify', status: 401 });
		expect(title).toContain('in front of Dify');
		expect(suggestion).toMatch(/API key/);
		expect(suggestion).not.toMatch(/Extra Headers|x-api-key|checks the key/);
	},
);

test.each([
	{ onlyReceived: 'pings', advice: 'check the worker container of Dify' },
	{
		onlyReceived: 'nothing',
		advice: 'check that the proxy in front of Dify does not hold events back',
	},
	{ onlyReceived: undefined, advice: 'The run has started' },
] as const)('a run of Dify that timed out after $onlyReceived', ({ onlyReceived, advice }) => {
	const facts = { service: 'dify', isRunStart: true, onlyReceived } as const;
	const { suggestion } = getErrorText('runTimeout', facts);
	expect(suggestion).toContain(advice);
	expect(suggestion.includes('may have started')).toBe(onlyReceived !== undefined);
});

test('texts of Dify errors: no suggestion names an operation that no node has', () => {
	for (const type of Object.keys({ ...DIFY_ERRORS, ...DIFY_VARIANTS }) as ErrorType[])
		expect(getErrorText(type, { service: 'dify' }).suggestion).not.toMatch(
			/\boperation ["A-Z]|needs (?:completion|workflow)/,
		);
});

describe('parts of error texts', () => {
	test('isLoopback recognizes the names of this machine', () => {
		const own = ['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '[::1]', '0.0.0.0'];
		expect(own.filter(isLoopback)).toEqual(own);
		const others = ['10.0.0.1', 'localhost.lan', '1127.0.0.1', undefined];
		expect(others.filter(isLoopback)).toEqual([]);
	});

	test('a known fact has words around it, an unknown one leaves nothing', () => {
		expect([quoted('a{status}\n[b]'), quoted(undefined), quoted('')]).toEqual([
			' "a{status}\n[b]"',
			'',
			'',
		]);
		expect(quoted('n'.repeat(500_000))).toBe(` "${'n'.repeat(199)}…"`);
		expect([optional(' (now ', 0, ')'), optional(' (now ', undefined, ')')]).toEqual([
			' (now 0)',
			'',
		]);
	});

	test('formatDuration uses readable units', () => {
		expect([undefined, 200, 1500, 15_000, 119_000, 120_000, 1_800_000].map(formatDuration)).toEqual(
			['the configured time', '200 ms', '1.5 s', '15 s', '119 s', '2 minutes', '30 minutes'],
		);
	});
});

const types = Object.keys({ ...NETWORK_ERRORS, ...GATEWAY_ERRORS, ...MODEL_ERRORS }) as ErrorType[];
const rows = readRows(`${__dirname}/../evidence.tsv`);

test('each error type has a row that says when its suggestion helps, and how that is known', () => {
	expect(rows.map(([type]) => type).sort()).toEqual(types.toSorted());
	for (const row of rows) expect(row.map((cell) => cell.length > 2)).toEqual([true, true, true]);
});

const FACTS = {
	url: 'http://h:1/v1',
	host: 'h',
	port: '1',
	root: 'http://h:1',
	typed: 'h',
	model: 'm',
};

test.each(types)('the suggestion of %s has at most 40 words', (type) => {
	for (const facts of [{}, { isEmpty: true }, { isPage: true }, { isKeyMissing: true }])
		for (const status of [undefined, 400, 502, 503, 504, 522]) {
			const { suggestion } = getErrorText(type, { ...FACTS, ...facts, status });
			expect(suggestion.split(/\s+/).length).toBeLessThanOrEqual(40);
			expect(suggestion).not.toBe('');
		}
});
