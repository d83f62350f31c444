import { examples } from '../../support/properties';
import fc from 'fast-check';

import { ServerError } from '../../../lib/errors/server-error';
import { resolveBaseUrl } from '../../../lib/servers/base-url';

/** typed → [api, root]; root is omitted if it is the origin. */
const FORMS: Array<[typed: string, api: string, root?: string]> = [
	// As in ollama-js' table for its host normaliser
	['http://localhost:8080', 'http://localhost:8080/v1'],
	['localhost', 'http://localhost/v1'],
	['localhost:8080', 'http://localhost:8080/v1'],
	['127.0.0.1:8080', 'http://127.0.0.1:8080/v1'],
	['127.0.0.1', 'http://127.0.0.1/v1'],
	['0.0.0.0:11434', 'http://0.0.0.0:11434/v1'],
	['example.com', 'http://example.com/v1'],
	['example.com:56789', 'http://example.com:56789/v1'],
	['https://example.com', 'https://example.com/v1'],
	['https://example.com:443', 'https://example.com/v1'],
	['http://example.com:80/', 'http://example.com/v1'],
	['https://example.com:11434', 'https://example.com:11434/v1'],
	['example.com/', 'http://example.com/v1'],
	['example.com:56789/', 'http://example.com:56789/v1'],
	['example.com/path', 'http://example.com/path/v1', 'http://example.com/path'],
	['example.com:56789/path/', 'http://example.com:56789/path/v1', 'http://example.com:56789/path'],
	['http://host:', 'http://host/v1'],
	// The version segment
	['http://host:8080/v1', 'http://host:8080/v1'],
	['http://host:8080/v1/', 'http://host:8080/v1'],
	['http://host:8080//v1//', 'http://host:8080/v1'],
	['http://host:8080/V1', 'http://host:8080/v1'],
	['http://gpu/v1-openai', 'http://gpu/v1-openai'],
	['http://gpu/v1-openai/', 'http://gpu/v1-openai'],
	['http://host/v4', 'http://host/v4'],
	['http://host/v1beta/openai', 'http://host/v1beta/openai'],
	// Prefixes
	['http://host/llama', 'http://host/llama/v1', 'http://host/llama'],
	['http://host/llama/v1/', 'http://host/llama/v1', 'http://host/llama'],
	['http://host/a/b//c', 'http://host/a/b/c/v1', 'http://host/a/b/c'],
	[
		'https://openrouter.example/api/v1',
		'https://openrouter.example/api/v1',
		'https://openrouter.example/api',
	],
	// Full endpoints
	['http://host:8080/v1/chat/completions', 'http://host:8080/v1'],
	['http://host:8080/v1/chat/completions/', 'http://host:8080/v1'],
	['http://host:8080/chat/completions', 'http://host:8080/v1'],
	['host:8080/v1/chat/completions', 'http://host:8080/v1'],
	['http://host:8080/v1/chat/completions/input_tokens', 'http://host:8080/v1'],
	['http://host:8080/v1/chat', 'http://host:8080/v1'],
	['http://host:8080/v1/completions', 'http://host:8080/v1'],
	['http://host:8080/v1/models', 'http://host:8080/v1'],
	['http://host:8080/v1/models/qwen3-8b', 'http://host:8080/v1'],
	['http://host:8080/v1/embeddings', 'http://host:8080/v1'],
	['http://host:8080/v1/rerank', 'http://host:8080/v1'],
	['http://host:8080/v1/reranking', 'http://host:8080/v1'],
	['http://host:8080/v1/responses', 'http://host:8080/v1'],
	['http://host:8080/v1/messages', 'http://host:8080/v1'],
	['http://host:8080/v1/messages/count_tokens', 'http://host:8080/v1'],
	['http://host:8080/v1/audio/transcriptions', 'http://host:8080/v1'],
	['http://host:8080/v1/images/generations', 'http://host:8080/v1'],
	['http://host/V1/Chat/Completions', 'http://host/v1'],
	['http://gpu/v1-openai/chat/completions', 'http://gpu/v1-openai'],
	['http://host/llama/v1/chat/completions', 'http://host/llama/v1', 'http://host/llama'],
	// Without a version below a prefix, the endpoint is used unchanged
	['http://webui:3000/api/chat/completions', 'http://webui:3000/api', 'http://webui:3000/api'],
	['http://webui:3000/api/models', 'http://webui:3000/api', 'http://webui:3000/api'],
	['http://webui:3000/api', 'http://webui:3000/api', 'http://webui:3000/api'],
	['http://webui:3000/api/', 'http://webui:3000/api', 'http://webui:3000/api'],
	['http://gateway/llm/chat/completions', 'http://gateway/llm', 'http://gateway/llm'],
	[
		'http://allm:3001/api/v1/openai/chat/completions',
		'http://allm:3001/api/v1/openai',
		'http://allm:3001/api',
	],
	['http://allm:3001/api/v1/openai', 'http://allm:3001/api/v1/openai', 'http://allm:3001/api'],
	// Root routes, copied from a browser or from curl
	['http://host:8080/health', 'http://host:8080/v1'],
	['http://host:8080/v1/health', 'http://host:8080/v1'],
	['http://host:8080/props', 'http://host:8080/v1'],
	['http://host:8080/slots', 'http://host:8080/v1'],
	['http://host:8080/metrics', 'http://host:8080/v1'],
	['http://host:8080/completion', 'http://host:8080/v1'],
	['http://host:8080/tokenize', 'http://host:8080/v1'],
	['http://host:8080/index.html', 'http://host:8080/v1'],
	['http://host:8080/#/chat/0a1b', 'http://host:8080/v1'],
	['http://host:8080/v1#', 'http://host:8080/v1'],
	['http://host:8000/docs', 'http://host:8000/v1'],
	['http://host:8000/openapi.json', 'http://host:8000/v1'],
	['http://host/llama/health', 'http://host/llama/v1', 'http://host/llama'],
	// Ollama's native root
	['http://localhost:11434/api', 'http://localhost:11434/v1'],
	['http://localhost:11434/api/', 'http://localhost:11434/v1'],
	['http://localhost:11434/api/chat', 'http://localhost:11434/v1'],
	['http://localhost:11434/api/embeddings', 'http://localhost:11434/v1'],
	['http://ollama.lan/api/tags', 'http://ollama.lan/v1'],
	['http://webui:3000/ollama/api/chat', 'http://webui:3000/ollama/v1', 'http://webui:3000/ollama'],
	// IPv6, names, letter case
	['http://[::1]:8080', 'http://[::1]:8080/v1'],
	['[::1]:8080', 'http://[::1]:8080/v1'],
	['[fe80::1]', 'http://[fe80::1]/v1'],
	['https://[2001:db8::1]/v1', 'https://[2001:db8::1]/v1'],
	['HTTP://GPU-Box.Local:8080/v1', 'http://gpu-box.local:8080/v1'],
	['http://höst.example', 'http://xn--hst-sna.example/v1'],
	['http://host.docker.internal:8080', 'http://host.docker.internal:8080/v1'],
	['http://llama_server:8080', 'http://llama_server:8080/v1'],
	// Blanks, line ends, quotes and other traces of copying
	['  http://host:8080  ', 'http://host:8080/v1'],
	['http://host:8080\n', 'http://host:8080/v1'],
	['\thttp://host:8080/v1\r\n', 'http://host:8080/v1'],
	['http://host:80\n80/v1', 'http://host:8080/v1'],
	['\uFEFFhttp://host:8080\u200B', 'http://host:8080/v1'],
	['\u00A0http://host:8080\u00A0', 'http://host:8080/v1'],
	['"http://host:8080"', 'http://host:8080/v1'],
	["'http://host:8080/v1'", 'http://host:8080/v1'],
	['`host:8080`', 'http://host:8080/v1'],
	['<http://host:8080>', 'http://host:8080/v1'],
	['"http://host:8080",', 'http://host:8080/v1'],
	['http://host:8080;', 'http://host:8080/v1'],
	// An input method for Chinese or Japanese, and quotes of a word processor
	['http：//192.168.1.20：8080/v1', 'http://192.168.1.20:8080/v1'],
	['http：／／192。168．1．20：8080', 'http://192.168.1.20:8080/v1'],
	['192.168.1.20：8080，', 'http://192.168.1.20:8080/v1'],
	['“http://host:8080/v1”', 'http://host:8080/v1'],
	['「http://host:8080」', 'http://host:8080/v1'],
	// Typing slips
	['http:/host:8080', 'http://host:8080/v1'],
	['http:host:8080', 'http://host:8080/v1'],
	['http//host:8080', 'http://host:8080/v1'],
	['http;//host:8080', 'http://host:8080/v1'],
	['https:/host/v1', 'https://host/v1'],
	['http:///host:8080', 'http://host:8080/v1'],
	['//host:8080', 'http://host:8080/v1'],
	['http://http://host:8080', 'http://host:8080/v1'],
	['http://https://host', 'https://host/v1'],
	['http:\\\\host:8080\\v1', 'http://host:8080/v1'],
];

describe('resolveBaseUrl', () => {
	test.each(
		FORMS.map(([typed, api, root]) => ({ shown: JSON.stringify(typed), typed, api, root })),
	)('case 12: $shown → $api', ({ typed, api, root }) => {
		const { origin } = new URL(api);
		expect(resolveBaseUrl(typed)).toEqual({ typed, origin, root: root ?? origin, api });
	});

	test.each([
		['', 'empty', 'is empty'],
		[' \n\t', 'empty', 'is empty'],
		['""', 'empty', 'is empty'],
		['ftp://host', 'scheme', '"ftp://"'],
		['ws://host:8080', 'scheme', '"ws://"'],
		['htp://host', 'scheme', '"htp://"'],
		['file:///tmp/llama.sock', 'scheme', '"file://"'],
		['http://', 'host', 'has no host name'],
		['https:///', 'host', 'has no host name'],
		['http://:8080', 'host', 'has no host name'],
		[':8080', 'host', 'has no host name'],
		['8080', 'host', 'has no host name'],
		['http://8080', 'host', 'has no host name'],
		['http://8080/v1', 'host', 'has no host name'],
		['http://?x=1', 'host', 'has no host name'],
		['http://my host:8080', 'host', 'contains a space'],
		['http://my server/v1', 'host', 'contains a space'],
		['::1', 'host', 'brackets'],
		['http://fe80::1:8080', 'host', 'brackets'],
		['http://[::1', 'host', '"[::1"'],
		['http://ho%st', 'host', '"ho%st"'],
		['http://a^b', 'host', '"a^b"'],
		['http://host:port', 'port', '"port"'],
		['http://host:70000', 'port', '"70000"'],
		['http://host:0', 'port', '"0"'],
		['http://host:8080.', 'port', '"8080."'],
		['http://host:-1/v1', 'port', '"-1"'],
		['http://[::1]:80a', 'port', '"80a"'],
		['http://user:hunter2@host:8080', 'credentials', 'user name or password'],
		['http://admin:hunter/2@host:8080', 'credentials', 'user name or password'],
		['http://admin:12/hunter2@host', 'credentials', 'user name or password'],
		['http://admin:hunter?2@host', 'credentials', 'user name or password'],
		['http://admin:hunter#2@host', 'credentials', 'user name or password'],
		['sk-very-secret@host', 'credentials', 'user name or password'],
		['http://user:hunter2＠host', 'credentials', 'user name or password'],
		['http://host/v1?api_key=very-secret', 'query', 'contains a query'],
		['http://host/?very-secret', 'query', 'contains a query'],
		['http://host/?very-secret==', 'query', 'contains a query'],
		['http://host/v1？api_key=very-secret', 'query', 'contains a query'],
		['http://host:x/v1?api_key=very-secret', 'port', '"http://host:x/v1"'],
	])('%j: %s', (typed, part, text) => {
		const failed = getError(typed);
		expect(failed).toBeInstanceOf(ServerError);
		expect(failed.facts.part).toBe(part);
		expect(failed.message).toContain(text);
		expect(failed.message).not.toMatch(/hunter2|secret/);
	});

	test('a user, a password or a query is rejected without being shown, in any notation', () => {
		const secret = 'Zk3vQ9xT7mB2';
		const at = fc.constantFrom('@', '＠');
		const mark = fc.constantFrom('?', '？', '/?', '?key=', '？a=b&key=');
		const scheme = fc.constantFrom(
			'',
			'http://',
			'HTTPS://',
			'//',
			'http:',
			'http:\\\\',
			'http：／／',
			'"http://',
		);
		const name = fc.constantFrom('host', 'host:8080/v1', '[::1]:8080', '127.0.0.1');
		const user = fc.constantFrom('', 'anna:', ':', 'anna：', 'anna:a/b', 'anna:a#b', 'anna:a@b');
		const typedUrls = fc.oneof(
			fc.tuple(scheme, user, fc.constant(secret), at, name),
			fc.tuple(scheme, name, mark, fc.constant(secret), fc.constantFrom('', '=', '==', '=1')),
		);
		fc.assert(
			fc.property(typedUrls, (parts) => {
				const failed = getError(parts.join(''));
				expect(failed).toBeInstanceOf(ServerError);
				expect(failed.message).not.toContain(secret);
			}),
			examples(500),
		);
	});

	const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
	const host = fc.oneof(fc.constantFrom('localhost', '10.0.0.5', '[::1]', 'gpu-box.lan'), word);
	const segment = fc.oneof(
		word,
		fc.constantFrom(
			'v1',
			'v1-openai',
			'v2',
			'api',
			'chat',
			'completions',
			'models',
			'openai',
			'health',
			'embeddings',
			'',
		),
	);
	const path = fc
		.array(segment, { maxLength: 5 })
		.map((segments) => segments.map((part) => `/${part}`).join(''));
	const port = fc.oneof(
		fc.constant(''),
		fc.constantFrom(':11434', ':8080'),
		fc.integer({ min: 1, max: 65535 }).map((number) => `:${number}`),
	);
	const typedUrl = fc
		.tuple(
			fc.constantFrom('', 'http://', 'https://', ' http://', 'HTTP://'),
			host,
			port,
			path,
			fc.constantFrom('', '/', '//', ' '),
		)
		.map((parts) => parts.join(''));

	test('the path never has a double or a trailing slash', () => {
		fc.assert(
			fc.property(typedUrl, (typed) => {
				const { api, root, origin } = resolveBaseUrl(typed);
				for (const url of [api, root]) {
					expect(url.startsWith(origin)).toBe(true);
					expect(url.slice(origin.length)).not.toMatch(/\/\/|\/$/);
				}
				expect(api.startsWith(root)).toBe(true);
			}),
		);
	});

	test('an endpoint built from the result resolves to the same result', () => {
		fc.assert(
			fc.property(typedUrl, (typed) => {
				const { api, root } = resolveBaseUrl(typed);
				const resolved = resolveBaseUrl(`${api}/chat/completions`);
				expect(resolved).toMatchObject({ api, root });
				expect(resolveBaseUrl(`${resolved.api}/models`)).toMatchObject({ api, root });
			}),
		);
	});

	test('the result resolves to itself, unless it is an endpoint without a version below a prefix', () => {
		fc.assert(
			fc.property(typedUrl, (typed) => {
				const { api, root } = resolveBaseUrl(typed);
				// `/gateway/chat/completions` means /gateway, while `/gateway` alone means /gateway/v1 (llama-server
				// --api-prefix).
				fc.pre(root !== api || api.endsWith('/api'));
				expect(resolveBaseUrl(api)).toMatchObject({ api, root });
			}),
		);
	});
});

function getError(typed: string): ServerError {
	try {
		resolveBaseUrl(typed);
	} catch (error) {
		return error as ServerError;
	}
	throw new Error('nothing was thrown');
}
