import { examples } from '../../support/jest/properties';
import { readRows } from '../../support/files/rows';
import fc from 'fast-check';

import { ServerError } from '../../../lib/errors/server-error';
import { resolveBaseUrl } from '../../../lib/servers/base-url';

const read = (file: string) =>
	readRows(`${__dirname}/${file}.tsv`).map(([typed = '', ...cells]) => ({
		typed: JSON.parse(typed) as string,
		cells,
	}));

describe('resolveBaseUrl', () => {
	test.each(read('base-url-forms'))('"$typed" becomes $cells', ({ typed, cells }) => {
		const [api = '', root] = cells;
		const { origin } = new URL(api);
		expect(resolveBaseUrl(typed)).toEqual({ typed, origin, root: root ?? origin, api });
	});

	test.each(read('base-url-errors'))(
		'"$typed" is not a Base URL: $cells',
		({ typed, cells: [part, text] }) => {
			const failed = getError(typed);
			expect(failed).toBeInstanceOf(ServerError);
			expect(failed.facts.part).toBe(part);
			expect(failed.message).toContain(text);
			expect(failed.message).not.toMatch(/hunter2|secret/);
		},
	);

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
					expect(url.slice(0, origin.length)).toBe(origin);
					expect(url.slice(origin.length)).not.toMatch(/\/\/|\/$/);
				}
				expect(api.slice(0, root.length)).toBe(root);
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
