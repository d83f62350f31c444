import { transform } from 'esbuild';

import { resolveBaseUrl } from '../../lib/servers/base-url';
import { fs } from '../support/node';
import { loadScript } from '../support/scripts';

interface ModelServerScript {
	namedServer(env: { LOCAL_LLAMA_BASE_URL?: string }): { typed: string; list: string } | undefined;
}

const FORMS = [
	'http://127.0.0.1:8080',
	'127.0.0.1:8080',
	'http://127.0.0.1:8080/',
	'http://127.0.0.1:8080/v1',
	'http://127.0.0.1:8080/v1/',
	'http://127.0.0.1:8080/v1/chat/completions',
	'http://127.0.0.1:8080/v1-openai',
	'http://127.0.0.1:8080/v1/models',
	'http://127.0.0.1:8080/V1',
	' http://127.0.0.1:8080/v1\n',
	'"http://127.0.0.1:8080"',
	'http:/127.0.0.1:8080',
	'http://127.0.0.1:8080/llama/v1',
	'http://127.0.0.1:11434/api',
	'https://example.com/openai/v1beta',
	'http://127.0.0.1:8080/health',
];

describe('LOCAL_LLAMA_BASE_URL', () => {
	let script: ModelServerScript;

	beforeAll(async () => {
		script = await loadScript<ModelServerScript>('model-server');
	});

	test.each(FORMS)('%j is read as the nodes read it', (typed) => {
		expect(script.namedServer({ LOCAL_LLAMA_BASE_URL: typed })).toEqual({
			typed,
			list: `${resolveBaseUrl(typed).api}/models`,
		});
	});

	test.each(['http://[::1', 'ftp://host', 'http://user:secret@host', 'http://host:99999'])(
		'%j is refused with a sentence that names the setting',
		(typed) => {
			expect(() => script.namedServer({ LOCAL_LLAMA_BASE_URL: typed })).toThrow(
				/^LOCAL_LLAMA_BASE_URL cannot be used\. The .+/,
			);
			expect(() => script.namedServer({ LOCAL_LLAMA_BASE_URL: typed })).not.toThrow(/secret/);
		},
	);

	test.each(['', '  '])('%j counts as not set', (typed) => {
		expect(script.namedServer({ LOCAL_LLAMA_BASE_URL: typed })).toBeUndefined();
	});

	test('counts as not set where it is not', () => {
		expect(script.namedServer({})).toBeUndefined();
	});

	test('the scripts have the code of the nodes', async () => {
		const options = { format: 'esm', target: 'node20' } as const;
		const source = fs.readFileSync('lib/servers/base-url.ts', 'utf8');
		const made = fs.readFileSync('scripts/lib/base-url.mjs', 'utf8');
		const minified = async (code: string) =>
			(await transform(code, { ...options, minify: true })).code;
		const { code } = await transform(source, { ...options, loader: 'ts' });
		expect(await minified(made)).toBe(await minified(code));
	});
});
